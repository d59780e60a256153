using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Rollups;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Apm.Telemetry.Files;
using Apm.Telemetry.Otlp;
using BenchmarkDotNet.Attributes;

namespace Apm.Bench;

/// <summary>What becomes of a span between the socket and the disk, step by step. An operation is a span.</summary>
public class SpanBenchmarks
{
    private const int Spans = 65_536;

    private List<byte[]> _requests = [];
    private ColumnBatch _batch = new(Signal.Traces);
    private string _directory = "";
    private DiskFileSystem? _files;

    [GlobalSetup]
    public void Setup()
    {
        _requests = SampleSpans.Requests(Spans);
        _batch = SampleSpans.Decode(_requests);
        _directory = Directory.CreateTempSubdirectory("apm-bench-").FullName;
        _files = new DiskFileSystem(_directory);
    }

    [GlobalCleanup]
    public void Cleanup() => Directory.Delete(_directory, recursive: true);

    /// <summary>What the receiver does with a body.</summary>
    [Benchmark(OperationsPerInvoke = Spans)]
    public int Check()
    {
        var items = 0;
        foreach (var request in _requests)
        {
            items += OtlpCheck.Traces(request).Items;
        }
        return items;
    }

    /// <summary>What the ingester does with it.</summary>
    [Benchmark(OperationsPerInvoke = Spans)]
    public int Decode() => SampleSpans.Decode(_requests).Rows;

    /// <summary>A head's rows ordered, encoded and written; not synced.</summary>
    [Benchmark(OperationsPerInvoke = Spans)]
    public long Seal()
    {
        using var content = new BatchContent([_batch]);
        using var file = _files!.Create("part");
        var bytes = PartWriter.Write(file, content);
        _files.Delete("part");
        return bytes;
    }

    [Benchmark(OperationsPerInvoke = Spans)]
    public object Rollup() => RollupBuilder.Build(new HeadSource(_batch));
}
