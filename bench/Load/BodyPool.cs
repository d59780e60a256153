using System.Collections.Concurrent;
using System.IO.Compression;
using Apm.Telemetry;

namespace Apm.Bench;

/// <summary>
/// The requests of a run. Either a pool that is gone round, each body rewritten before it is sent, so that a run of any length needs little memory; or,
/// compressed, bodies made before the clock starts and sent once, as compressing costs more than storing does. Any number of threads.
/// </summary>
internal sealed class BodyPool
{
    /// <summary>Uncompressed bytes in the pool: several parts' worth of spans, so that nothing in a part repeats.</summary>
    private const long PoolBytes = 200L << 20;

    /// <summary>Most items made for a run that sends each body once.</summary>
    public const long MaxCompressedItems = 8_000_000;

    private readonly ConcurrentQueue<RequestBody> _bodies = new();
    private readonly ConcurrentQueue<(ReadOnlyMemory<byte> Body, int Items)> _compressed = new();
    private readonly Timeline _timeline;
    private readonly ulong _seed;
    private long _taken;

    private BodyPool(Signal signal, Timeline timeline, ulong seed)
    {
        Signal = signal;
        _seed = seed;
        _timeline = timeline;
    }

    public Signal Signal { get; }

    public bool IsCompressed { get; private init; }

    /// <summary>Mean size of an item before compression.</summary>
    public double BytesPerItem { get; private set; }

    /// <param name="seed">Pools of different seeds have no id in common.</param>
    public static BodyPool Create(BenchArguments arguments, Signal signal, Timeline timeline, long items, ulong seed = 1)
    {
        var pool = new BodyPool(signal, timeline, seed) { IsCompressed = arguments.Gzip };
        if (arguments.Gzip)
        {
            if (items > MaxCompressedItems)
            {
                throw new ArgumentException($"compressed bodies are made before the run: at most {MaxCompressedItems:N0} items, {items:N0} asked for");
            }
            pool.Compress(arguments, items);
        }
        else
        {
            pool.Fill(arguments, items);
        }
        return pool;
    }

    /// <summary>The next request, or null when there is no more. It is the caller's until given back.</summary>
    public Request? Take()
    {
        if (IsCompressed)
        {
            return _compressed.TryDequeue(out var made) ? new Request(made.Body, made.Items, null) : null;
        }
        RequestBody? body;
        // Every connection holds at most one, and there are more than connections: one comes back soon.
        for (var spin = new SpinWait(); !_bodies.TryDequeue(out body);)
        {
            spin.SpinOnce();
        }
        body.Rewrite(_timeline.Next(Interlocked.Increment(ref _taken) - 1, body.DurationNano));
        return new Request(body.Bytes, body.Items, body);
    }

    public void Return(Request request)
    {
        if (request.Source is { } body)
        {
            _bodies.Enqueue(body);
        }
    }

    private void Fill(BenchArguments arguments, long items)
    {
        long bytes = 0, made = 0;
        var bodies = new List<RequestBody>();
        foreach (var (body, count) in Generate(arguments, Signal, _seed << 32, _timeline.StartUnixNano))
        {
            bodies.Add(new RequestBody(Signal, body, count));
            bytes += body.Length;
            made += count;
            if (bodies.Count > 2 * arguments.Connections && (made >= items || bytes >= PoolBytes))
            {
                break;
            }
        }
        BytesPerItem = (double)bytes / made;
        var split = bodies.SelectMany(body => body.Traces.Select(trace => (trace.High, trace.Low))).GroupBy(id => id).Where(id => id.Count() > 1).Select(id => id.Key).ToHashSet();
        // The last trace goes on in a body that was not made.
        split.UnionWith(bodies[^1].Traces.Select(trace => (trace.High, trace.Low)));
        foreach (var body in bodies)
        {
            body.Traces = [.. body.Traces.Where(trace => !split.Contains((trace.High, trace.Low)))];
            _bodies.Enqueue(body);
        }
    }

    /// <summary>Two threads, each with traces of its own.</summary>
    private void Compress(BenchArguments arguments, long items)
    {
        long bytes = 0, made = 0;
        Parallel.For(1, 3, part =>
        {
            foreach (var (body, count) in Generate(arguments, Signal, (_seed << 32) + (ulong)part, _timeline.StartUnixNano))
            {
                if (Interlocked.Add(ref made, count) - count >= items)
                {
                    Interlocked.Add(ref made, -count);
                    return;
                }
                Interlocked.Add(ref bytes, body.Length);
                using var compressed = new MemoryStream();
                using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
                {
                    gzip.Write(body);
                }
                _compressed.Enqueue((compressed.ToArray(), count));
            }
        });
        BytesPerItem = (double)bytes / made;
    }

    private static IEnumerable<(byte[] Body, int Items)> Generate(BenchArguments arguments, Signal signal, ulong seed, ulong startUnixNano)
    {
        if (signal == Signal.Logs)
        {
            var logs = new LogGenerator(seed, startUnixNano);
            while (true)
            {
                yield return (logs.Next(arguments.Batch), arguments.Batch);
            }
        }
        var made = new Queue<(byte[], int)>();
        var spans = new SpanGenerator(seed, startUnixNano, arguments.Batch, arguments.Harsh, (body, count) => made.Enqueue((body, count)));
        while (true)
        {
            spans.Generate();
            while (made.TryDequeue(out var body))
            {
                yield return body;
            }
        }
    }

    /// <param name="Source">Given back to the pool after sending; null for a body that is sent once.</param>
    internal readonly record struct Request(ReadOnlyMemory<byte> Body, int Items, RequestBody? Source);
}
