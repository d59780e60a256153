using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Apm.DurableBuffer.Embedded;
using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Tools;
using Apm.Telemetry;
using Apm.Telemetry.Files;

namespace Apm.Standalone.Tools;

/// <summary><c>inspect</c>: what the data directory consists of, as tables or as JSON.</summary>
internal static class InspectTool
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    public static int Run(ToolArguments arguments, TextWriter output, CancellationToken cancellationToken)
    {
        var files = new DiskFileSystem(ToolRun.Existing(arguments.Operands[0]));
        var store = StoreInspection.Run(files, EmbeddedStoreRegistration.FolderName, arguments.PartId, cancellationToken);
        if (arguments.PartId is { } wanted && store.Parts.Count == 0 && store.Findings.Count == 0)
        {
            throw new ServiceDefaults.Settings.SettingsException([$"there is no part '{wanted}'; inspect without --part lists them."]);
        }
        var log = arguments.PartId is null ? LogInspection.Read(files, EmbeddedBufferRegistration.FolderName) : null;
        IReadOnlyList<FileFinding> findings = [.. store.Findings, .. log?.Findings ?? []];
        if (arguments.Json)
        {
            output.WriteLine(JsonSerializer.Serialize(new
            {
                Store = new { store.CoveredSpans, store.CoveredLogs, store.Parts, store.OtherFiles },
                Buffer = log is null ? null : new { log.Segments, log.Spares },
                Findings = findings,
            }, s_json));
        }
        else if (arguments.PartId is null)
        {
            WriteStore(store, output);
            WriteLog(log!, output);
        }
        else
        {
            foreach (var part in store.Parts)
            {
                WriteParts([part], output);
                output.WriteLine();
                WriteColumns(part.Columns, part.Rows, part.Bytes, output, encodings: true);
            }
        }
        foreach (var finding in arguments.Json ? [] : findings)
        {
            output.WriteLine($"damaged: {finding}");
        }
        return findings.Count == 0 ? ToolRun.Fine : ToolRun.Wrong;
    }

    private static void WriteStore(StoreReport store, TextWriter output)
    {
        foreach (var signal in new[] { Signal.Traces, Signal.Logs })
        {
            var parts = store.Parts.Where(part => part.Signal == signal).ToArray();
            var (rows, bytes) = (parts.Sum(part => part.Rows), parts.Sum(part => part.Bytes));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{Name(signal)}: {parts.Length} parts, {rows:N0} rows, {bytes:N0} bytes{(rows == 0 ? "" : $", {(double)bytes / rows:F1} bytes a row")}; the buffer is covered up to {(signal == Signal.Traces ? store.CoveredSpans : store.CoveredLogs)}"));
            output.WriteLine();
            if (parts.Length > 0)
            {
                WriteParts(parts, output);
                output.WriteLine();
                WriteColumns(store.Columns(signal), rows, bytes, output, encodings: false);
                output.WriteLine();
            }
        }
        if (store.OtherFiles.Count > 0)
        {
            var table = new TextTable("other file of the store", "bytes");
            foreach (var file in store.OtherFiles)
            {
                table.Add(file.Name, Number(file.Bytes));
            }
            table.WriteTo(output);
            output.WriteLine();
        }
    }

    private static void WriteParts(IReadOnlyList<PartReport> parts, TextWriter output)
    {
        var table = new TextTable("part", "signal", "level", "format", "rows", "blocks", "bytes", "B/row", "rollup", "first", "last");
        foreach (var part in parts)
        {
            table.Add(
                part.Id, Name(part.Signal), Number(part.Level), Number(part.Version), Number(part.Rows), Number(part.Blocks), Number(part.Bytes),
                ((double)part.Bytes / Math.Max(1, part.Rows)).ToString("F1", CultureInfo.InvariantCulture), part.RollupBytes is { } rollup ? Number(rollup) : "-",
                Time(part.FirstTimeUnixNano), Time(part.LastTimeUnixNano));
        }
        table.WriteTo(output);
    }

    private static void WriteColumns(IReadOnlyList<ColumnReport> columns, long rows, long bytes, TextWriter output, bool encodings)
    {
        var table = new TextTable(["column", "kind", "chunks", "absent", "values", "stored", "unpacked", "share", "B/row", "stored as", .. encodings ? new[] { "encodings" } : []]);
        foreach (var column in columns)
        {
            table.Add(
            [
                column.Column, column.Kind, Number(column.Chunks), Number(column.Absent), Number(column.Values), Number(column.StoredBytes), Number(column.UnpackedBytes),
                (100.0 * column.StoredBytes / Math.Max(1, bytes)).ToString("F1", CultureInfo.InvariantCulture) + " %",
                ((double)column.StoredBytes / Math.Max(1, rows)).ToString("F2", CultureInfo.InvariantCulture), Mix(column.Codecs), .. encodings ? new[] { Mix(column.Encodings) } : [],
            ]);
        }
        table.WriteTo(output);
    }

    private static void WriteLog(LogInspection log, TextWriter output)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"buffer: {log.Segments.Count} segments, {log.Segments.Sum(segment => segment.Records):N0} records, {log.Spares} spare files"));
        if (log.Segments.Count == 0)
        {
            return;
        }
        output.WriteLine();
        var table = new TextTable("segment", "first", "last", "records", "used", "file");
        foreach (var segment in log.Segments)
        {
            table.Add(segment.File, Number(segment.FirstPosition), Number(segment.LastPosition), Number(segment.Records), Number(segment.UsedBytes), Number(segment.FileBytes));
        }
        table.WriteTo(output);
    }

    private static string Mix(IReadOnlyDictionary<string, int> counts) =>
        counts.Count == 0 ? "-" : string.Join(" ", counts.OrderByDescending(count => count.Value).Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Key}:{count.Value}")));

    private static string Name(Signal signal) => signal == Signal.Traces ? "spans" : "logs";

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Time(long unixNano) => (DateTimeOffset.UnixEpoch + TimeSpan.FromTicks(unixNano / 100)).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
