using System.Diagnostics;
using Apm.Telemetry;

namespace Apm.Bench;

/// <summary>A load sent to a server, and what both did meanwhile: the figures that several benches want.</summary>
internal sealed class LoadRun
{
    /// <summary>Long enough to even out seals and merges, short enough to show when the process is warm.</summary>
    private static readonly TimeSpan WindowLength = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan SampleInterval = TimeSpan.FromMilliseconds(250);

    private readonly Server _server;
    private readonly List<Window> _windows = [];
    private TimeSpan _cpuAtStart;
    private TimeSpan _cpuWarm;
    private TimeSpan _ownCpuWarm;

    private LoadRun(Server server, Loader loader, BodyPool pool)
    {
        _server = server;
        Loader = loader;
        Pool = pool;
    }

    public Loader Loader { get; }

    public BodyPool Pool { get; }

    public long WarmupItems { get; private set; }

    public TimeSpan WarmupTime { get; private set; }

    /// <summary>Items acknowledged after the warm-up.</summary>
    public long Items { get; private set; }

    public TimeSpan Elapsed { get; private set; }

    /// <summary>The server's, after the warm-up and while the load came.</summary>
    public TimeSpan Cpu { get; private set; }

    public TimeSpan LoaderCpu { get; private set; }

    public double ItemsPerSecond => Items / Elapsed.TotalSeconds;

    /// <summary>Makes the load for a bench's arguments; nothing is sent yet.</summary>
    public static LoadRun Create(Server server, BenchArguments arguments, Signal signal, bool mayBreak = false)
    {
        // Of a run bounded by time nobody knows how much it sends; about this much.
        const long guessedItemsPerSecond = 300_000;
        var guessed = (arguments.Rate > 0 ? arguments.Rate : guessedItemsPerSecond) * (arguments.Warmup + (arguments.Spans > 0 ? 0 : arguments.Seconds));
        var items = arguments.Spans + (long)guessed;
        var pool = BodyPool.Create(arguments, signal, new Timeline(arguments.Spread, items / arguments.Batch), items);
        var plan = new LoadPlan(
            _ => server.Connect(arguments), arguments.Connections, arguments.Rate, TimeSpan.FromSeconds(arguments.Warmup), arguments.Spans, TimeSpan.FromSeconds(arguments.Seconds), mayBreak);
        return new LoadRun(server, new Loader(pool, plan), pool);
    }

    /// <summary>Sends it; returns when the last answer is there.</summary>
    public void Send()
    {
        var watch = Stopwatch.StartNew();
        _cpuAtStart = _server.Cpu();
        using var stop = new CancellationTokenSource();
        var sampler = new Thread(() => Sample(watch, stop.Token)) { IsBackground = true };
        sampler.Start();
        var began = TimeSpan.Zero;
        try
        {
            Loader.Run(() =>
            {
                _cpuWarm = _server.Cpu();
                _ownCpuWarm = Environment.CpuUsage.TotalTime;
                WarmupItems = Loader.Acknowledged;
                WarmupTime = began = watch.Elapsed;
                _server.ResetPeak();
            });
        }
        finally
        {
            stop.Cancel();
            sampler.Join();
        }
        Elapsed = watch.Elapsed - began;
        Items = Loader.Acknowledged - WarmupItems;
        Cpu = (_server.Process.HasExited ? _cpuWarm : _server.Cpu()) - _cpuWarm;
        LoaderCpu = Environment.CpuUsage.TotalTime - _ownCpuWarm;
    }

    /// <summary>The server's CPU from the end of the warm-up to now, an item: also what it did after the load.</summary>
    public double CpuMicrosecondsPerItem => (_server.Cpu() - _cpuWarm).TotalMicroseconds / Items;

    /// <param name="item">span or record.</param>
    public void AddTo(Report report, BenchArguments arguments, string item, Gate? rate = null, Gate? p99 = null)
    {
        report.Add("load", $"requests of {arguments.Batch} {item}s, {arguments.Connections} connections, {(arguments.Grpc ? "gRPC" : "HTTP")}{(arguments.Gzip ? ", gzip" : "")}{(arguments.Harsh ? ", harsh" : "")}{(arguments.Rate > 0 ? $", {arguments.Rate:N0}/s asked for" : "")}");
        report.Add($"wire size", Pool.BytesPerItem, $"B/{item}");
        if (WarmupItems > 0)
        {
            report.Add("warm-up, rate", WarmupItems / WarmupTime.TotalSeconds, $"{item}s/s");
            report.Add("warm-up, server CPU", (_cpuWarm - _cpuAtStart).TotalMicroseconds / WarmupItems, $"µs/{item}");
        }
        report.Add("acknowledged after fdatasync", Items, $"{item}s");
        report.Add("ingest", ItemsPerSecond, $"{item}s/s", rate);
        report.Add("server CPU while the load came", Cpu.TotalMicroseconds / Items, $"µs/{item}");
        report.Add("loader CPU", LoaderCpu.TotalMicroseconds / Items, $"µs/{item}");
        report.AddLatencies("acknowledgement", Loader.Latencies, gateP99: p99);
        report.Add("answers", string.Join(", ", Loader.Answers.Select(pair => $"{pair.Value:N0} {pair.Key}")));
        for (var i = 0; i < _windows.Count; i++)
        {
            var window = _windows[i];
            Console.WriteLine(FormattableString.Invariant($"  second {window.End.TotalSeconds,5:F0}: {window.Items / window.Length.TotalSeconds,10:N0} {item}s/s  {window.Cpu.TotalMicroseconds / Math.Max(1, window.Items),6:F2} µs/{item}  {window.ResidentMiB,5:F0} MiB  {window.PartFiles,5} parts"));
        }
        report.Add("slowest window of 5 s", _windows.Where(window => window.End - window.Length >= WarmupTime - SampleInterval).Select(window => window.Items / window.Length.TotalSeconds).DefaultIfEmpty(ItemsPerSecond).Min(), $"{item}s/s");
    }

    private void Sample(Stopwatch watch, CancellationToken stop)
    {
        var (began, items, cpu) = (watch.Elapsed, 0L, _cpuAtStart);
        while (!stop.WaitHandle.WaitOne(SampleInterval) && !_server.Process.HasExited)
        {
            if (watch.Elapsed - began >= WindowLength)
            {
                var (now, acknowledged, used) = (watch.Elapsed, Loader.Acknowledged, _server.Cpu());
                _windows.Add(new Window(now, now - began, acknowledged - items, used - cpu, _server.ResidentMiB(), _server.StoredFiles("store", "*.part")));
                (began, items, cpu) = (now, acknowledged, used);
            }
        }
    }

    private sealed record Window(TimeSpan End, TimeSpan Length, long Items, TimeSpan Cpu, double ResidentMiB, long PartFiles);
}
