using System.Runtime.InteropServices;
using Apm.ServiceDefaults.Settings;

namespace Apm.Standalone.Tools;

/// <summary>
/// Runs a tool in place of the server. Exit code 0: done and all is well; 1: something is wrong with the data, or the disk failed; 2: the arguments are wrong;
/// 130: interrupted.
/// </summary>
internal static class ToolRun
{
    public const int Fine = 0;
    public const int Wrong = 1;

    private const int Interrupted = 130;

    public static async Task<int> RunAsync(ToolArguments arguments)
    {
        using var cancellation = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        try
        {
            return arguments.Tool switch
            {
                Tool.Inspect => InspectTool.Run(arguments, Console.Out, cancellation.Token),
                Tool.Verify => VerifyTool.Run(arguments, Console.Out, cancellation.Token),
                Tool.Backup => BackupTool.Run(arguments, Console.Out, TimeProvider.System, cancellation.Token),
                _ => RestoreTool.Run(arguments, Console.Out, TimeProvider.System, cancellation.Token),
            };
        }
        catch (FileNotFoundException missing)
        {
            throw new SettingsException([missing.Message]);
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("interrupted.");
            return Interrupted;
        }
        catch (Exception failure) when (failure is IOException or NotSupportedException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"error: {failure.Message}");
            return Wrong;
        }

        void Cancel(PosixSignalContext signal)
        {
            signal.Cancel = true;
            cancellation.Cancel();
        }
    }

    /// <summary>The full path of a directory that must be there.</summary>
    /// <exception cref="SettingsException">It is not.</exception>
    public static string Existing(string directory)
    {
        var full = Path.GetFullPath(directory);
        return Directory.Exists(full) ? full
            : throw new SettingsException([File.Exists(full) ? $"'{full}' is a file; what is wanted is the directory it lies in." : $"'{full}' is not there, or may not be looked into."]);
    }
}
