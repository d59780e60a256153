using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Apm.Collector;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Apm.Standalone;

/// <summary>
/// Runs samples/Shop as a child process once the platform listens: forwards its lines, starts it again when it crashes, and ends it with this process.
/// The shop ends by itself when its standard input closes, so it does not outlive a platform that was killed.
/// </summary>
internal sealed partial class DemoShop(DemoOptions options, IReadOnlyList<ReceiverPort> receivers, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<DemoShop> logger) : BackgroundService
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);

    /// <summary>Between restarts of a shop that keeps crashing.</summary>
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(30);

    /// <summary>A shop that ran this long starts again at once: the crash is news.</summary>
    private static readonly TimeSpan Stable = TimeSpan.FromMinutes(1);

    /// <summary>For the shop to end its own processes; then they are killed.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private static string AssemblyPath => Path.Combine(AppContext.BaseDirectory, "shop", "Apm.Shop.dll");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var grpc = receivers.First(receiver => receiver.Name == ReceiverNames.OtlpGrpc);
        if (grpc.State != ReceiverState.Open)
        {
            LogNoReceiver(grpc.Port, grpc.Detail);
            return;
        }
        if (!File.Exists(AssemblyPath))
        {
            LogNotBuilt(AssemblyPath);
            return;
        }
        await StartedAsync(stoppingToken);
        var backoff = FirstBackoff;
        while (!stoppingToken.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            int exitCode;
            try
            {
                exitCode = await RunOnceAsync(grpc.Port, stoppingToken);
            }
            catch (System.ComponentModel.Win32Exception e)
            {
                LogCannotStart(e);
                return;
            }
            if (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            backoff = time.GetElapsedTime(started) >= Stable ? FirstBackoff : TimeSpan.FromTicks(Math.Min(backoff.Ticks * 2, MaxBackoff.Ticks));
            LogCrashed(exitCode, backoff.TotalSeconds);
            await Task.Delay(backoff, time, stoppingToken);
        }
    }

    private async Task StartedAsync(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(cancellationToken);
    }

    private async Task<int> RunOnceAsync(int grpcPort, CancellationToken stoppingToken)
    {
        using var process = new Process { StartInfo = StartInfo(grpcPort) };
        process.OutputDataReceived += (_, line) => Forward(line.Data);
        process.ErrorDataReceived += (_, line) => Forward(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(stoppingToken);
            return process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            process.StandardInput.Close();
            using var timeout = new CancellationTokenSource(StopTimeout, time);
            try
            {
                await process.WaitForExitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                LogKilled();
            }
            return 0;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private ProcessStartInfo StartInfo(int grpcPort)
    {
        var info = new ProcessStartInfo(DotnetPath()) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        string[] arguments =
        [
            AssemblyPath, "--role", "all", "--watch-stdin",
            "--otlp", string.Create(CultureInfo.InvariantCulture, $"http://localhost:{grpcPort}"),
            "--port-base", options.PortBase.ToString(CultureInfo.InvariantCulture),
            "--rate", options.RequestsPerSecond.ToString(CultureInfo.InvariantCulture),
        ];
        foreach (var argument in arguments)
        {
            info.ArgumentList.Add(argument);
        }
        if (options.StoryAfter is { } after)
        {
            info.ArgumentList.Add("--story-after");
            info.ArgumentList.Add(after.ToString("c", CultureInfo.InvariantCulture));
        }
        return info;
    }

    /// <summary>The dotnet that runs this process: three folders above its runtime's, also when we were started as an executable.</summary>
    private static string DotnetPath()
    {
        var root = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        var path = Path.Combine(root, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");
        return File.Exists(path) ? path : "dotnet";
    }

    private static void Forward(string? line)
    {
        if (!string.IsNullOrWhiteSpace(line))
        {
            Console.WriteLine($"shop | {line}");
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The demo's shop is not started, as it sends over OTLP/gRPC and port {Port} is not open: {Detail}")]
    private partial void LogNoReceiver(int port, string? detail);

    [LoggerMessage(2, LogLevel.Error, "The demo's shop is not started, as {Path} is not there; build the solution")]
    private partial void LogNotBuilt(string path);

    [LoggerMessage(3, LogLevel.Error, "The demo's shop cannot be started")]
    private partial void LogCannotStart(Exception exception);

    [LoggerMessage(4, LogLevel.Warning, "The demo's shop ended with exit code {ExitCode}; it is started again in {Seconds} s")]
    private partial void LogCrashed(int exitCode, double seconds);

    [LoggerMessage(5, LogLevel.Warning, "The demo's shop did not end in time and is killed")]
    private partial void LogKilled();
}
