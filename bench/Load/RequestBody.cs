using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Apm.Telemetry;

namespace Apm.Bench;

/// <summary>A trace, and how many items of it one body has.</summary>
internal readonly record struct TraceSample(ulong High, ulong Low, int Items);

/// <summary>
/// One OTLP request, made once and sent many times: before each sending its ids, times and unique texts are rewritten in place, which costs some ten
/// nanoseconds a span, so that no item is ever sent twice and everything sent can be counted back. Ids are XORed with masks of the pass over the pool: what
/// belonged together still does, also in another body, and entropy stays the same. Used by one thread at a time.
/// </summary>
internal sealed class RequestBody
{
    private readonly byte[] _bytes;
    private readonly int[] _traceIds;
    private readonly int[] _spanIds;
    private readonly int[] _times;
    private readonly Patch[] _patches;
    private readonly ulong _firstUnixNano;
    private ulong _timeShiftNano;
    private Masks _masks;
    private long _pass;

    public RequestBody(Signal signal, byte[] bytes, int items)
    {
        var places = new RequestPlaces(bytes);
        places.Find(signal);
        _bytes = bytes;
        Items = items;
        _traceIds = [.. places.TraceIds];
        _spanIds = [.. places.SpanIds];
        _times = [.. places.Times];
        _patches = [.. places.Patches];
        Traces = [.. places.Traces()];
        var times = _times.Select(at => MemoryMarshal.Read<ulong>(bytes.AsSpan(at))).DefaultIfEmpty().ToArray();
        _firstUnixNano = times.Min();
        DurationNano = times.Max() - _firstUnixNano;
    }

    /// <summary>Spans or log records.</summary>
    public int Items { get; }

    /// <summary>From the first of its times to the last.</summary>
    public ulong DurationNano { get; }

    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>As the request was made. The pool leaves out those that go on in another body.</summary>
    public IReadOnlyList<TraceSample> Traces { get; set; }

    /// <summary>Makes the next pass's request: other ids and texts, and times of which the first is the given one.</summary>
    public void Rewrite(ulong firstUnixNano)
    {
        _pass++;
        var masks = Masks.Of(_pass);
        var traceHigh = masks.TraceHigh ^ _masks.TraceHigh;
        var traceLow = masks.TraceLow ^ _masks.TraceLow;
        var span = masks.Span ^ _masks.Span;
        var shift = firstUnixNano - _firstUnixNano;
        var move = shift - _timeShiftNano;
        foreach (var at in _traceIds)
        {
            Longs(at) ^= traceHigh;
            Longs(at + 8) ^= traceLow;
        }
        foreach (var at in _spanIds)
        {
            Longs(at) ^= span;
        }
        foreach (var at in _times)
        {
            Longs(at) += move;
        }
        var random = new SeededRandom((ulong)_pass ^ firstUnixNano);
        foreach (ref readonly var patch in _patches.AsSpan())
        {
            patch.Apply(_bytes, ref random);
        }
        _masks = masks;
        _timeShiftNano = shift;
    }

    /// <summary>A trace of the request as it is now, or null when none is whole in it.</summary>
    public TraceSample? Sample(int number)
    {
        if (Traces.Count == 0)
        {
            return null;
        }
        var trace = Traces[number % Traces.Count];
        // The ids are stored big-endian; the masks were applied to their bytes.
        return trace with
        {
            High = trace.High ^ BinaryPrimitives.ReverseEndianness(_masks.TraceHigh),
            Low = trace.Low ^ BinaryPrimitives.ReverseEndianness(_masks.TraceLow),
        };
    }

    private ref ulong Longs(int at) => ref Unsafe.As<byte, ulong>(ref _bytes.AsSpan(at, 8)[0]);

    private readonly record struct Masks(ulong TraceHigh, ulong TraceLow, ulong Span)
    {
        public static Masks Of(long pass)
        {
            var random = new SeededRandom((ulong)pass + 0x5EED);
            return new Masks(random.Next(), random.Next(), random.Next());
        }
    }
}
