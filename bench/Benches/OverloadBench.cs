using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using Apm.Telemetry;

namespace Apm.Bench;

/// <summary>
/// Far more than the server can take, from senders that do not wait as they are told: many connections over HTTP and gRPC at once, requests near the size limits, plain and
/// compressed, decompression bombs, senders that stall and readers that do not read. Memory stays bounded, senders are refused with a delay, and what
/// was acknowledged is there.
/// </summary>
internal static class OverloadBench
{
    /// <summary>Spans of a request just below 20 MiB.</summary>
    private const int LargeBatch = 36_000;

    /// <summary>Spans of a request just below 64 MiB once decompressed.</summary>
    private const int LargeCompressedBatch = 118_000;

    /// <summary>Most connections that send large bodies, plain and compressed each.</summary>
    private const int MaxLargeConnections = 4;

    /// <summary>Compressed bodies a connection: they are made before the run and sent once.</summary>
    private const int CompressedBodies = 3;

    private const int GrpcStreamsPerConnection = 16;

    private const int SlowSenders = 100;

    private const int SlowReaders = 40;

    private static readonly TimeSpan Impatience = TimeSpan.FromMilliseconds(100);

    public static async Task RunAsync(BenchArguments arguments, Report report)
    {
        await using var server = await Server.StartAsync(arguments);
        var loads = Loads(server, arguments).ToList();
        report.Add("load", $"{arguments.Connections} connections over HTTP, {arguments.Connections} streams over gRPC, {LargeConnections(arguments)} with bodies of 19 MiB, {LargeConnections(arguments)} with 62 MiB in gzip, bombs, {SlowSenders} stalled senders, {SlowReaders} readers that do not read");
        using var stop = new CancellationTokenSource();
        var watch = Stopwatch.StartNew();
        var threads = loads.Select(load => Task.Factory.StartNew(() => load.Loader.Run(() => { }), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToList();
        var bombs = BombAsync(server, stop.Token);
        var idle = StallAsync(server, loads[0].Loader, stop.Token);
        var running = Task.WhenAll(threads);
        while (await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(5))) != running)
        {
            Console.WriteLine(FormattableString.Invariant($"  second {watch.Elapsed.TotalSeconds,5:F0}: {loads.Sum(load => load.Loader.Acknowledged),12:N0} spans  {server.ResidentMiB(),5:F0} MiB  {await InFlightMiBAsync(server),5:F0} MiB in flight"));
        }
        await running;
        var elapsed = watch.Elapsed;
        await stop.CancelAsync();
        var answers = await bombs;
        var peers = await idle;
        foreach (var (name, loader) in loads)
        {
            report.Add(name, string.Join(", ", loader.Answers.Select(pair => $"{pair.Value:N0} {pair.Key}")));
            report.AddLatencies($"{name}: acknowledged or refused after", loader.Latencies);
        }
        report.Add("bombs", string.Join(", ", answers.Select(pair => $"{pair.Value:N0} answered {pair.Key}")));
        report.Add("stalled peers still connected at the end", peers, "connections");
        report.Add("acknowledged", loads.Sum(load => load.Loader.Acknowledged) / elapsed.TotalSeconds, "spans/s");
        report.Add("refusals as the server counts them", await RefusalsAsync(server));
        report.Add("peak resident memory", server.PeakResidentMiB(), "MiB", Gate.OverloadResidentMiB);
        await server.VisibleAsync();
        await server.IdleAsync();
        report.Add("resident memory afterwards", server.ResidentMiB(), "MiB");
        await CountBack.CheckAsync(server, [.. loads.Select(load => load.Loader)], Signal.Traces, 0, report);
    }

    private static int LargeConnections(BenchArguments arguments) => Math.Min(MaxLargeConnections, arguments.Connections);

    private static IEnumerable<(string Name, Loader Loader)> Loads(Server server, BenchArguments arguments)
    {
        var length = TimeSpan.FromSeconds(arguments.Seconds + arguments.Warmup);
        var clients = Enumerable.Range(0, (arguments.Connections / GrpcStreamsPerConnection) + 1).Select(_ => GrpcConnection.CreateClient()).ToList();
        yield return ("HTTP", Load(arguments, 1, _ => new HttpConnection(server.Process.HttpPort)));
        yield return ("gRPC", Load(arguments, 2, i => new GrpcConnection(clients[i / GrpcStreamsPerConnection], server.Process.GrpcPort)));
        yield return ("large", Load(arguments with { Connections = LargeConnections(arguments), Batch = LargeBatch }, 3, _ => new HttpConnection(server.Process.HttpPort)));
        yield return ("large, gzip", Load(arguments with { Connections = LargeConnections(arguments), Batch = LargeCompressedBatch, Gzip = true }, 4, _ => new HttpConnection(server.Process.HttpPort)));

        Loader Load(BenchArguments own, ulong seed, Func<int, IConnection> connect) => new(
            BodyPool.Create(own, Signal.Traces, new Timeline(TimeSpan.Zero, 0), (own.Gzip ? CompressedBodies : 4L) * own.Batch * own.Connections, seed),
            new LoadPlan(connect, own.Connections, 0, TimeSpan.Zero, 0, length, MayBreak: true) { LongestWait = Impatience });
    }

    /// <summary>Compressed bodies that are no OTLP, one within the limit once decompressed and one far above it, again and again. Answers by status.</summary>
    private static async Task<SortedDictionary<int, long>> BombAsync(Server server, CancellationToken stop)
    {
        var bombs = new[] { Bomb(60 << 20), Bomb(512 << 20) };
        var answers = new SortedDictionary<int, long>();
        using var connection = new HttpConnection(server.Process.HttpPort);
        await Task.Factory.StartNew(() =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                try
                {
                    var answer = connection.Send(Signal.Traces, bombs[i % bombs.Length], gzip: true);
                    answers[answer.Status] = answers.GetValueOrDefault(answer.Status) + 1;
                }
                catch (IOException)
                {
                    answers[0] = answers.GetValueOrDefault(0) + 1;
                }
                stop.WaitHandle.WaitOne(Impatience);
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return answers;
    }

    /// <summary>Zeros, compressed.</summary>
    private static byte[] Bomb(int bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var block = new byte[1 << 20];
            for (var i = 0; i < bytes; i += block.Length)
            {
                gzip.Write(block);
            }
        }
        return compressed.ToArray();
    }

    /// <summary>Opens stalled connections once there is something to read; how many the server has kept.</summary>
    private static async Task<int> StallAsync(Server server, Loader loader, CancellationToken stop)
    {
        using var peers = new IdlePeers();
        for (var i = 0; i < SlowSenders; i++)
        {
            peers.AddSlowSender(server.Process.HttpPort, 19 << 20, 64 << 10);
        }
        while (loader.Recent is null && !stop.IsCancellationRequested)
        {
            await Task.Delay(50, CancellationToken.None);
        }
        for (var i = 0; i < SlowReaders; i++)
        {
            peers.AddSlowReader(server.Process.Port, "api/v1/logs?from=now-1d&limit=1000");
            peers.AddSlowReader(server.Process.Port, "api/v1/traces?from=now-1d&limit=1000");
        }
        await Task.Delay(Timeout.Infinite, stop).ContinueWith(_ => { }, TaskScheduler.Default);
        return peers.Open;
    }

    private static async Task<string> RefusalsAsync(Server server)
    {
        using var ingest = JsonDocument.Parse(await server.Client.GetStringAsync("api/v1/ingest"));
        var reasons = ingest.RootElement.GetProperty("rejections").EnumerateArray()
            .GroupBy(rejection => rejection.GetProperty("reason").GetString(), (reason, same) => $"{same.Sum(rejection => rejection.GetProperty("requests").GetInt64()):N0} {reason}");
        return string.Join(", ", reasons);
    }

    private static async Task<double> InFlightMiBAsync(Server server) => (await server.MetricAsync("apm.collector.in_flight") ?? 0) / (1 << 20);
}
