using System.Diagnostics;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Apm.Telemetry.Files;

namespace Apm.Bench;

/// <summary>Parts as they are sealed, joined into one, in this process: what merging costs a row, and what it saves. Write amplification is a figure of <c>ingest</c>.</summary>
internal static class MergeBench
{
    /// <summary>Rows of an input: as a head is sealed.</summary>
    private const int PartRows = 131_072;

    private const long CacheBytes = 48L << 20;

    public static void Run(BenchArguments arguments, Report report)
    {
        Measure(arguments, Signal.Traces, "spans", Gate.BytesPerSpanSealed, Gate.BytesPerSpanMerged, report);
        Measure(arguments, Signal.Logs, "records", Gate.BytesPerRecord, Gate.BytesPerRecord, report);
    }

    private static void Measure(BenchArguments arguments, Signal signal, string items, Gate gateSealed, Gate gateMerged, Report report)
    {
        var directory = Directory.CreateTempSubdirectory("apm-bench-").FullName;
        var files = new DiskFileSystem(directory);
        var cache = new ChunkCache(CacheBytes);
        var inputs = new List<PartSource>();
        try
        {
            long sealedBytes = 0;
            foreach (var batches in Heads(arguments, signal))
            {
                var path = $"{inputs.Count}.part";
                using (var file = files.Create(path))
                {
                    using var content = new BatchContent(batches);
                    sealedBytes += PartWriter.Write(file, content);
                    file.Sync();
                }
                inputs.Add(new PartSource(PartFile.Open(files, path), cache));
            }
            GC.Collect();
            var (cpu, allocated, resident) = (Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(), Environment.WorkingSet);
            var watch = Stopwatch.StartNew();
            MergeResult result;
            using (var output = files.Create("merged.part"))
            {
                result = PartMerger.Merge(inputs, null, output, 1, CancellationToken.None);
                output.Sync();
            }
            var (seconds, used) = (watch.Elapsed.TotalSeconds, Environment.CpuUsage.TotalTime - cpu);
            if (result.Rows + result.DuplicateRows != inputs.Sum(input => (long)input.RowCount) || result.DuplicateRows != 0)
            {
                throw new InvalidOperationException($"{inputs.Sum(input => (long)input.RowCount)} {items} went in, {result.Rows} came out, {result.DuplicateRows} were told apart as sent twice");
            }
            report.Add($"{items}: merged", $"{result.Rows:N0} in {inputs.Count} parts into 1");
            report.Add($"{items}: rate", result.Rows / seconds, $"{items}/s");
            report.Add($"{items}: read", sealedBytes / seconds / 1e6, "MB/s");
            report.Add($"{items}: CPU", used.TotalMicroseconds / result.Rows, $"µs/{items[..^1]}");
            report.Add($"{items}: allocated", (double)(GC.GetTotalAllocatedBytes() - allocated) / result.Rows, $"B/{items[..^1]}");
            report.Add($"{items}: memory grew by", Math.Max(0, Environment.WorkingSet - resident) / (double)(1 << 20), "MiB");
            report.Add($"{items}: before", (double)sealedBytes / result.Rows, $"B/{items[..^1]}", gateSealed);
            report.Add($"{items}: after", (double)result.Bytes / result.Rows, $"B/{items[..^1]}", gateMerged);
        }
        finally
        {
            inputs.ForEach(input => input.Dispose());
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>The batches of one head after another.</summary>
    private static IEnumerable<List<ColumnBatch>> Heads(BenchArguments arguments, Signal signal)
    {
        var pool = BodyPool.Create(arguments with { Gzip = false }, signal, new Timeline(TimeSpan.FromMinutes(10), arguments.Spans / arguments.Batch), arguments.Spans);
        var decoder = new ColumnBatchDecoder(signal);
        for (var left = arguments.Spans; left > 0;)
        {
            var batches = new List<ColumnBatch>();
            for (var rows = 0; rows < PartRows && left > 0; left -= arguments.Batch)
            {
                var request = pool.Take() ?? throw new InvalidOperationException("a pool that is gone round does not end");
                decoder.Append(request.Body.Span, 0);
                rows += request.Items;
                pool.Return(request);
                batches.Add(decoder.Take());
            }
            yield return batches;
        }
    }
}
