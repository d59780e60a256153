using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Apm.Telemetry;
using Apm.TestKit.Processes;

namespace Apm.Bench;

/// <summary>The measured process, and what it has used.</summary>
internal sealed class Server : IAsyncDisposable
{
    /// <summary>A query that counts everything back may take long; those that are measured do not come near these.</summary>
    private static readonly string[] CountingSettings = ["--Query:Deadline", "00:10:00", "--Query:ScannedBytes", "1099511627776"];

    /// <summary>Share of a core below which the process counts as idle, over <see cref="BenchArguments.IdleSeconds"/>.</summary>
    private const double IdleShare = 0.04;

    /// <summary>Longest wait for sealing and merging to end.</summary>
    private static readonly TimeSpan IdleLimit = TimeSpan.FromMinutes(5);

    private readonly StandaloneProcess _process;
    private readonly TimeSpan _idleInterval;

    private Server(StandaloneProcess process, TimeSpan idleInterval)
    {
        _process = process;
        _idleInterval = idleInterval;
    }

    public HttpClient Client => _process.Client;

    public StandaloneProcess Process => _process;

    public TimeSpan ReadyAfter => _process.ReadyAfter;

    public static async Task<Server> StartAsync(BenchArguments arguments, string? directory = null, params string[] settings)
    {
        var given = arguments.Settings.SelectMany(setting => new[] { $"--{setting[..setting.IndexOf('=', StringComparison.Ordinal)]}", setting[(setting.IndexOf('=', StringComparison.Ordinal) + 1)..] });
        var server = new Server(await StandaloneProcess.StartAsync(directory, [.. CountingSettings, .. settings, .. given]), TimeSpan.FromSeconds(arguments.IdleSeconds));
        // Counting everything takes longer than a page may.
        server.Client.Timeout = TimeSpan.FromMinutes(10);
        return server;
    }

    public IConnection Connect(BenchArguments arguments) =>
        arguments.Grpc ? new GrpcConnection(GrpcConnection.CreateClient(), _process.GrpcPort) : new HttpConnection(_process.HttpPort);

    public TimeSpan Cpu()
    {
        using var process = System.Diagnostics.Process.GetProcessById(_process.ProcessId);
        return process.TotalProcessorTime;
    }

    public double ResidentMiB() => StatusKiB("VmRSS:") / 1024;

    public double PeakResidentMiB() => StatusKiB("VmHWM:") / 1024;

    /// <summary>Forgets the peak so far, where the system lets us.</summary>
    public void ResetPeak()
    {
        try
        {
            File.WriteAllText($"/proc/{_process.ProcessId}/clear_refs", "5");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            Console.Error.WriteLine($"the peak memory includes the warm-up: {e.Message}");
        }
    }

    public long StoredBytes(string folder)
    {
        var path = Path.Combine(_process.DataDirectory, folder);
        return Directory.Exists(path) ? new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(SizeOf) : 0;
    }

    public long StoredFiles(string folder, string pattern)
    {
        var path = Path.Combine(_process.DataDirectory, folder);
        return Directory.Exists(path) ? Directory.EnumerateFiles(path, pattern, SearchOption.AllDirectories).LongCount() : 0;
    }

    /// <summary>One of the process's own counters, summed over its attributes; null when there is no such counter.</summary>
    public async Task<double?> MetricAsync(string name)
    {
        using var answer = JsonDocument.Parse(await Client.GetStringAsync("api/v1/platform/metrics"));
        double? sum = null;
        foreach (var metric in answer.RootElement.GetProperty("metrics").EnumerateArray())
        {
            if (metric.GetProperty("name").GetString() == name)
            {
                sum = metric.GetProperty("points").EnumerateArray().Sum(point => point.TryGetProperty("value", out var value) ? value.GetDouble() : point.GetProperty("sum").GetDouble());
            }
        }
        return sum;
    }

    /// <summary>Waits until sealing and merging have nothing to do, for <see cref="IdleLimit"/> at most; how long that took.</summary>
    public async Task<TimeSpan> IdleAsync()
    {
        var watch = Stopwatch.StartNew();
        for (var cpu = Cpu(); watch.Elapsed < IdleLimit;)
        {
            await Task.Delay(_idleInterval);
            var now = Cpu();
            var disk = await DiskFigures.ReadAsync(this, Signal.Traces);
            if (now - cpu < _idleInterval * IdleShare && disk is { IsMerging: false, Backlog: 0 })
            {
                return watch.Elapsed - _idleInterval;
            }
            cpu = now;
        }
        return watch.Elapsed;
    }

    /// <summary>Waits until everything acknowledged was read by the ingester, so is visible.</summary>
    public async Task<TimeSpan> VisibleAsync()
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < IdleLimit)
        {
            using var answer = JsonDocument.Parse(await Client.GetStringAsync("api/v1/ingest"));
            var buffer = answer.RootElement.GetProperty("buffer");
            if (buffer.GetProperty("readPosition").GetInt64() >= buffer.GetProperty("appendedPosition").GetInt64())
            {
                break;
            }
            await Task.Delay(10);
        }
        return watch.Elapsed;
    }

    /// <summary>Items stored, counted one by one: the filter asks for what no rollup knows.</summary>
    public Task<long> CountRowsAsync(Signal signal) => signal == Signal.Traces
        ? CountSpansAsync("{ duration >= 0ns }", "now-30d", "now+1d")
        : CountLogsAsync();

    public Task<long> CountSpansAsync(string filter, string from, string to) => CountAsync($"api/v1/spans/red?from={from}&to={Uri.EscapeDataString(to)}&q={Uri.EscapeDataString(filter)}");

    /// <summary>Spans stored, in the way that dashboards count them.</summary>
    public Task<long> CountGroupsAsync() => CountAsync("api/v1/spans/red?from=now-30d&to=now%2B1d");

    /// <summary>kill -9.</summary>
    public Task KillAsync() => _process.KillAsync();

    /// <summary>As a service's stop: what is in memory is sealed.</summary>
    public Task StopAsync() => _process.StopAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task<long> CountAsync(string path)
    {
        using var answer = JsonDocument.Parse(await Client.GetStringAsync(path));
        ThrowIfIncomplete(answer);
        return answer.RootElement.GetProperty("groups").EnumerateArray().Sum(group => group.GetProperty("count").GetInt64());
    }

    private async Task<long> CountLogsAsync()
    {
        using var answer = JsonDocument.Parse(await Client.GetStringAsync("api/v1/logs/histogram?from=now-30d&to=now%2B1d&step=1d"));
        ThrowIfIncomplete(answer);
        return answer.RootElement.GetProperty("totals").EnumerateObject().Sum(total => total.Value.GetInt64());
    }

    private static void ThrowIfIncomplete(JsonDocument answer)
    {
        if (!answer.RootElement.GetProperty("scan").GetProperty("complete").GetBoolean())
        {
            throw new InvalidOperationException($"counting was cut short: {answer.RootElement.GetProperty("scan")}");
        }
    }

    /// <summary>Files come and go while the process works.</summary>
    private static long SizeOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }

    /// <summary>0 for a process that has just been killed: it has no memory any more.</summary>
    private double StatusKiB(string name) =>
        File.ReadLines($"/proc/{_process.ProcessId}/status").FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line
            ? double.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)
            : 0;
}
