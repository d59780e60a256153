using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Bench;

/// <summary>Spans of the generator for the micro-benchmarks: the same at every run.</summary>
internal static class SampleSpans
{
    /// <summary>A second in 2026.</summary>
    private const ulong StartUnixNano = 1_790_000_000_000_000_000;

    private const int Batch = 2_000;

    /// <summary>Requests with at least this many spans in all.</summary>
    public static List<byte[]> Requests(int spans, ulong seed = 1)
    {
        var requests = new List<byte[]>();
        var made = 0;
        var generator = new SpanGenerator(seed, StartUnixNano, Batch, harsh: false, (body, count) =>
        {
            requests.Add(body);
            made += count;
        });
        while (made < spans)
        {
            generator.Generate();
        }
        return requests;
    }

    public static ColumnBatch Decode(List<byte[]> requests)
    {
        var decoder = new ColumnBatchDecoder(Signal.Traces);
        foreach (var request in requests)
        {
            decoder.Append(request, (long)StartUnixNano);
        }
        return decoder.Take();
    }
}
