using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Apm.Shop;

/// <summary>Starts every role as a process of its own, restarts one that ends, carries the fault switches to them and serves the control page.</summary>
internal sealed class Supervisor(ShopOptions options, Dictionary<string, int> ports) : IAsyncDisposable
{
    private static readonly string[] Roles = ["bank", "catalog", "cart", "recommendation", "shipping", "payments", "storefront", "load"];

    private static readonly Dictionary<string, string> Versions = new()
    {
        ["storefront"] = "5.31.2", ["cart"] = "3.8.1", ["catalog"] = "4.2.0", ["payments"] = "2.13.4", ["shipping"] = "2.6.4", ["recommendation"] = "1.19.3", ["bank"] = "1.0.0", ["load"] = "1.0.0",
    };

    private readonly Dictionary<string, Process> _processes = [];
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly Lock _gate = new();
    private ImmutableHashSet<string> _on = [];
    private bool _stopping;

    public static async Task<int> RunAsync(ShopOptions options, CancellationToken stop)
    {
        var directory = options.DataDirectory ?? Path.Combine(Path.GetTempPath(), $"apm-shop-{Environment.ProcessId}");
        Directory.CreateDirectory(directory);
        options = options with { DataDirectory = directory };
        var ports = ChoosePorts(options.PortBase);
        try
        {
            await using var supervisor = new Supervisor(options, ports);
            await supervisor.RunAsync(stop);
        }
        finally
        {
            if (Path.GetFileName(directory).StartsWith("apm-shop-", StringComparison.Ordinal))
            {
                Directory.Delete(directory, recursive: true);
            }
        }
        return 0;
    }

    private async Task RunAsync(CancellationToken stop)
    {
        foreach (var role in Roles)
        {
            Start(role);
        }
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(ports["control"]));
        var app = builder.Build();
        ControlPage.Map(app, () => _on, SwitchAsync);
        await app.StartAsync(CancellationToken.None);
        Console.WriteLine($"The shop runs; its faults are switched at http://localhost:{ports["control"]}");
        if (options.StoryAfter is { } after)
        {
            _ = TellStoryAsync(after, stop);
        }
        try
        {
            await app.WaitForShutdownAsync(stop);
        }
        finally
        {
            await app.DisposeAsync();
        }
    }

    private async Task TellStoryAsync(TimeSpan after, CancellationToken stop)
    {
        try
        {
            await Task.Delay(after, stop);
            await SwitchAsync(Faults.BankTimeout, true);
            Console.WriteLine($"payments v2.14.0 is rolled out: look at http://localhost:9618 for what it does to the checkouts; roll it back at http://localhost:{ports["control"]}");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Console.WriteLine("stopped before the rollout of payments v2.14.0");
        }
    }

    /// <summary>Switches a fault and tells every service; the story restarts payments as another version.</summary>
    private async Task SwitchAsync(string fault, bool on)
    {
        lock (_gate)
        {
            if (_on.Contains(fault) == on)
            {
                return;
            }
            _on = on ? _on.Add(fault) : _on.Remove(fault);
        }
        if (fault == Faults.BankTimeout)
        {
            await RollOutPaymentsAsync();
        }
        await TellAllAsync();
    }

    /// <summary>Starts the version that now holds beside the old one, moves the callers when it listens, then ends the old one: no request fails because of the rollout itself.</summary>
    private async Task RollOutPaymentsAsync()
    {
        Process old;
        lock (_gate)
        {
            old = _processes["payments"];
            ports["payments"] = FreePort();
        }
        Start("payments");
        await TellAsync("payments");
        await TellAllAsync();
        old.StandardInput.Close();
    }

    private Task TellAllAsync() => Task.WhenAll(Roles.Where(role => role != "load").Select(TellAsync));

    private async Task TellAsync(string role)
    {
        // A service that is starting gets the settings as soon as it listens.
        for (var attempt = 0; attempt < 200; attempt++)
        {
            try
            {
                int port;
                Settings settings;
                lock (_gate)
                {
                    port = ports[role];
                    settings = new Settings([.. _on], new Dictionary<string, int>(ports));
                }
                using var response = await _client.PutAsJsonAsync($"http://127.0.0.1:{port}/internal/settings", settings);
                response.EnsureSuccessStatusCode();
                return;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                await Task.Delay(100);
            }
        }
        Console.WriteLine($"{role} did not take its settings");
    }

    private void Start(string role)
    {
        lock (_gate)
        {
            if (_stopping)
            {
                return;
            }
            var version = role == "payments" && _on.Contains(Faults.BankTimeout) ? "2.14.0" : Versions[role];
            var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
            if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet")
            {
                start.ArgumentList.Add(typeof(Supervisor).Assembly.Location);
            }
            string[] arguments =
            [
                "--role", role, "--watch-stdin", "--otlp", options.Otlp, "--version", version, "--data", options.DataDirectory!,
                "--rate", options.RequestsPerSecond.ToString(CultureInfo.InvariantCulture), "--port", ports[role].ToString(CultureInfo.InvariantCulture),
                "--ports", string.Join(',', ports.Select(pair => $"{pair.Key}={pair.Value}")),
            ];
            foreach (var argument in arguments)
            {
                start.ArgumentList.Add(argument);
            }
            var process = new Process { StartInfo = start, EnableRaisingEvents = true };
            process.OutputDataReceived += (_, e) => Print(role, e.Data);
            process.ErrorDataReceived += (_, e) => Print(role, e.Data);
            process.Exited += (_, _) => _ = RestartAsync(role, process);
            process.Start();
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            _processes[role] = process;
        }
    }

    private async Task RestartAsync(string role, Process ended)
    {
        lock (_gate)
        {
            if (_stopping || _processes[role] != ended)
            {
                return; // it was replaced by a rollout
            }
        }
        await Task.Delay(500); // a role that cannot start must not spin
        Start(role);
        if (role != "load")
        {
            await TellAsync(role);
        }
    }

    private static void Print(string role, string? line)
    {
        if (!string.IsNullOrEmpty(line))
        {
            Console.WriteLine($"{role}: {line}");
        }
    }

    private static Dictionary<string, int> ChoosePorts(int first)
    {
        var ports = new Dictionary<string, int>();
        foreach (var (role, i) in Roles.Prepend("control").Select((role, i) => (role, i)))
        {
            ports[role] = IsFree(first + i) ? first + i : FreePort();
        }
        return ports;
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        Process[] processes;
        lock (_gate)
        {
            _stopping = true;
            processes = [.. _processes.Values];
        }
        foreach (var process in processes)
        {
            process.StandardInput.Close(); // every role ends when its standard input does, after sending what it still has
        }
        foreach (var process in processes)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            try
            {
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
            }
            process.Dispose();
        }
        _client.Dispose();
    }
}
