using Apm.TestKit.Processes;

[assembly: AssemblyFixture(typeof(Apm.EndToEnd.StandaloneFixture))]

namespace Apm.EndToEnd;

/// <summary>One started product for all tests of this project that leave it running.</summary>
public sealed class StandaloneFixture : IAsyncLifetime
{
    private StandaloneProcess? _process;

    internal StandaloneProcess Process => _process ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync() => _process = await StandaloneProcess.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }
}
