using Apm.TestKit.Processes;

[assembly: AssemblyFixture(typeof(Apm.EndToEnd.StandaloneFixture))]

namespace Apm.EndToEnd;

/// <summary>One started product for all tests of this project that leave it running. It keeps everything: some send spans of 1970.</summary>
public sealed class StandaloneFixture : IAsyncLifetime
{
    private StandaloneProcess? _process;

    internal StandaloneProcess Process => _process ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync() => _process = await StandaloneProcess.StartAsync(null, "--Retention:Spans:Default", "forever");

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }
}
