using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Tools;

/// <summary>What a store consists of. The sizes of columns are known without reading them; how their integers are encoded is not.</summary>
/// <param name="CoveredSpans">Buffer position up to which spans are in parts.</param>
/// <param name="OtherFiles">In the store's folder and not a part of the manifest: name and bytes.</param>
public sealed record StoreReport(long CoveredSpans, long CoveredLogs, IReadOnlyList<PartReport> Parts, IReadOnlyList<StoreFile> OtherFiles, IReadOnlyList<FileFinding> Findings)
{
    /// <summary>Columns of all parts of the signal together, the largest first.</summary>
    public IReadOnlyList<ColumnReport> Columns(Signal signal) => ColumnReport.Sum(Parts.Where(part => part.Signal == signal).SelectMany(part => part.Columns));
}

public sealed record StoreFile(string Name, long Bytes);

/// <param name="Id">As in the file's name, hexadecimal.</param>
/// <param name="Blocks">Up to 8,192 rows each.</param>
/// <param name="RollupBytes">Of the part's rollup file; null when there is none.</param>
public sealed record PartReport(
    string Id, Signal Signal, int Level, int Version, long Rows, long Bytes, int Blocks, long FirstTimeUnixNano, long LastTimeUnixNano, long? RollupBytes, IReadOnlyList<ColumnReport> Columns);

/// <summary>What the chunks of one kind of one column take.</summary>
/// <param name="Kind">What the bytes are: integers, codes, values, dictionary, bloom …</param>
/// <param name="Absent">Chunks that are not stored, as every value is zero.</param>
/// <param name="StoredBytes">On the disk.</param>
/// <param name="UnpackedBytes">In memory, before the integers are decoded.</param>
/// <param name="Codecs">Chunks by how they are stored: plain, lz …</param>
/// <param name="Encodings">Chunks by the encoding of their integers; empty unless the part was read for it.</param>
public sealed record ColumnReport(
    string Column, string Kind, int Chunks, int Absent, long Values, long StoredBytes, long UnpackedBytes, IReadOnlyDictionary<string, int> Codecs, IReadOnlyDictionary<string, int> Encodings)
{
    internal static IReadOnlyList<ColumnReport> Sum(IEnumerable<ColumnReport> columns) =>
    [
        .. columns.GroupBy(column => (column.Column, column.Kind)).Select(group => new ColumnReport(
            group.Key.Column, group.Key.Kind, group.Sum(column => column.Chunks), group.Sum(column => column.Absent), group.Sum(column => column.Values),
            group.Sum(column => column.StoredBytes), group.Sum(column => column.UnpackedBytes), Sum(group.Select(column => column.Codecs)), Sum(group.Select(column => column.Encodings))))
            .OrderByDescending(column => column.StoredBytes).ThenBy(column => column.Column, StringComparer.Ordinal),
    ];

    private static SortedDictionary<string, int> Sum(IEnumerable<IReadOnlyDictionary<string, int>> counts)
    {
        var sums = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var (name, count) in counts.SelectMany(static each => each))
        {
            sums[name] = sums.GetValueOrDefault(name) + count;
        }
        return sums;
    }
}

/// <summary>Reads what a store consists of. Changes nothing; the process that owns the store may run.</summary>
public static class StoreInspection
{
    /// <param name="partId">Only this part, hexadecimal with or without leading zeros, and every chunk of it read; null: all parts, their directories only.</param>
    /// <exception cref="FileNotFoundException">There is no store in the folder.</exception>
    /// <exception cref="NotSupportedException">A newer version of the program wrote the manifest.</exception>
    public static StoreReport Run(IFileSystem files, string folder, string? partId, CancellationToken cancellationToken)
    {
        using var snapshot = StoreSnapshot.Open(files, folder);
        var findings = new List<FileFinding>();
        if (snapshot.Manifest.Damage is { } damage)
        {
            findings.Add(new FileFinding(damage.Path, damage.Offset, damage.Message));
        }
        var wanted = snapshot.Parts.Where(part => partId is null || part.Listed.FileName == ManifestPart.FileNameOf(partId)).ToArray();
        var parts = new List<PartReport>(wanted.Length);
        foreach (var part in wanted)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (part.Finding is { } finding)
            {
                findings.Add(finding);
                continue;
            }
            try
            {
                parts.Add(Inspect(part, partId is not null, RollupBytes(files, folder, part.Listed)));
            }
            catch (CorruptPartException found)
            {
                findings.Add(new FileFinding(found.Path, found.Offset, found.Message));
            }
        }
        return new StoreReport(snapshot.Manifest.CoveredSpans, snapshot.Manifest.CoveredLogs, parts, OtherFiles(files, folder, snapshot), findings);
    }

    private static PartReport Inspect(SnapshotPart part, bool readChunks, long? rollupBytes)
    {
        var source = part.Source!;
        var columns = PartChunks.Of(source).GroupBy(chunk => (chunk.Column, chunk.Kind)).Select(group => Column(source, group.Key.Column, group.Key.Kind, [.. group], readChunks));
        return new PartReport(
            part.Listed.FileName[..^ManifestPart.Extension.Length], source.Signal, part.Listed.Level, source.File.Version, source.RowCount, source.File.SizeBytes, source.BlockCount,
            source.FirstTimeUnixNano, source.LastTimeUnixNano, rollupBytes, ColumnReport.Sum(columns));
    }

    private static ColumnReport Column(PartSource source, string name, PartChunkKind kind, List<PartChunk> chunks, bool readChunks)
    {
        var codecs = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var encodings = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var chunk in chunks.Where(chunk => !chunk.Reference.IsAbsent))
        {
            var codec = chunk.Reference.Codec.ToString().ToLowerInvariant();
            codecs[codec] = codecs.GetValueOrDefault(codec) + 1;
            if (readChunks && chunk.Stripe is null)
            {
                using var content = source.File.Read(chunk.Reference);
                if (PartChunks.EncodingOf(chunk, content) is { } encoding)
                {
                    encodings[encoding] = encodings.GetValueOrDefault(encoding) + 1;
                }
            }
        }
        return new ColumnReport(
            name, kind.ToString().ToLowerInvariant(), chunks.Count(chunk => !chunk.Reference.IsAbsent), chunks.Count(chunk => chunk.Reference.IsAbsent), chunks.Sum(chunk => chunk.Values),
            chunks.Sum(chunk => (long)chunk.Reference.StoredBytes), chunks.Sum(chunk => (long)chunk.Reference.Bytes), codecs, encodings);
    }

    private static long? RollupBytes(IFileSystem files, string folder, ManifestPart part) =>
        SizeOf(files, folder + "/" + part.RollupFileName);

    private static List<StoreFile> OtherFiles(IFileSystem files, string folder, StoreSnapshot snapshot)
    {
        var listed = snapshot.Parts.SelectMany(part => new[] { part.Listed.FileName, part.Listed.RollupFileName }).ToHashSet(StringComparer.Ordinal);
        var others = new List<StoreFile>();
        foreach (var name in files.ListFiles(folder).Order(StringComparer.Ordinal))
        {
            if (!listed.Contains(name) && SizeOf(files, folder + "/" + name) is { } bytes)
            {
                others.Add(new StoreFile(name, bytes));
            }
        }
        foreach (var name in files.ListFiles(folder + "/" + PartFolder.DamagedFolder).Order(StringComparer.Ordinal))
        {
            others.Add(new StoreFile(PartFolder.DamagedFolder + "/" + name, SizeOf(files, folder + "/" + PartFolder.DamagedFolder + "/" + name) ?? 0));
        }
        return others;
    }

    /// <summary>Null when the file is gone, or was never there.</summary>
    private static long? SizeOf(IFileSystem files, string path)
    {
        if (!files.FileExists(path))
        {
            return null;
        }
        try
        {
            using var file = files.OpenRead(path);
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
