using System.Diagnostics;

namespace Apm.TestKit.Processes;

/// <summary>A command of the product, run to its end in a process of its own.</summary>
internal sealed class ToolProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    private ToolProcess(Process process)
    {
        _process = process;
        _output = process.StandardOutput.ReadToEndAsync();
        _errors = process.StandardError.ReadToEndAsync();
    }

    public static ToolProcess Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[StandaloneProcess.FindAssembly(), .. arguments])
        {
            start.ArgumentList.Add(argument);
        }
        return new ToolProcess(Process.Start(start)!);
    }

    public static async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        await using var tool = Start(arguments);
        return await tool.EndAsync();
    }

    public async Task<(int ExitCode, string Output)> EndAsync()
    {
        await _process.WaitForExitAsync();
        return (_process.ExitCode, await _output + await _errors);
    }

    /// <summary>kill -9, unless it has ended.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }
        _process.Dispose();
    }
}
