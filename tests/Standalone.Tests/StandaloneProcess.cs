using System.Diagnostics;

namespace Apm.Standalone.Tests;

/// <summary>The built program, run to its end or until it is ready, with a data directory of its own.</summary>
internal sealed class StandaloneProcess : IAsyncDisposable
{
    /// <summary>Far above what a start takes on a busy machine; a test that needs it has failed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly string _directory = Directory.CreateTempSubdirectory("apm-standalone-").FullName;
    private readonly List<string> _lines = [];
    private readonly TaskCompletionSource<Uri> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public StandaloneProcess(params string[] arguments)
    {
        var info = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        info.ArgumentList.Add(typeof(Arguments).Assembly.Location);
        foreach (var argument in arguments.Contains("--data") ? arguments : [.. arguments, "--data", _directory])
        {
            info.ArgumentList.Add(argument);
        }
        _process = new Process { StartInfo = info };
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public string DataDirectory => _directory;

    public string Output
    {
        get
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    public async Task<int> ExitAsync()
    {
        using var timeout = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(timeout.Token);
        return _process.ExitCode;
    }

    public async Task<Uri> ReadyAsync()
    {
        var exited = _process.WaitForExitAsync();
        await Task.WhenAny(_ready.Task, exited).WaitAsync(Patience);
        Assert.True(_ready.Task.IsCompleted, $"it did not become ready:\n{Output}");
        return await _ready.Task;
    }

    /// <summary>SIGTERM.</summary>
    public async Task TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private void Add(string? line)
    {
        if (line is null)
        {
            return;
        }
        lock (_lines)
        {
            _lines.Add(line);
        }
        const string ready = "Apm is ready: ";
        if (line.StartsWith(ready, StringComparison.Ordinal))
        {
            _ready.TrySetResult(new Uri(line[ready.Length..]));
        }
    }
}
