using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Rollups;
using Apm.Telemetry.Files;

namespace Apm.Storage.Tests.Embedded;

/// <summary>A folder on the disk for one test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("apm-storage-").FullName;
    private int _parts;

    public TemporaryFolder() => Files = new DiskFileSystem(_path);

    public IFileSystem Files { get; }

    public PartSource WritePart(IReadOnlyList<ColumnBatch> batches, int blockRows = PartFormat.BlockRows)
    {
        var name = $"{++_parts}.part";
        using (var file = Files.Create(name))
        {
            using var content = new BatchContent(batches, blockRows);
            PartWriter.Write(file, content);
        }
        return new PartSource(PartFile.Open(Files, name), new ChunkCache(16 << 20));
    }

    /// <summary>Joins the parts into one; the inputs stay open.</summary>
    public PartSource Merge(IReadOnlyList<PartSource> parts, int blockRows = PartFormat.BlockRows)
    {
        var name = $"{++_parts}.part";
        using (var file = Files.Create(name))
        {
            PartMerger.Merge(parts, null, file, level: 1, CancellationToken.None, blockRows);
        }
        return new PartSource(PartFile.Open(Files, name), new ChunkCache(16 << 20));
    }

    public RollupFile WriteRollup(RollupSource rollup)
    {
        var name = $"{++_parts}.rollup";
        using (var file = Files.Create(name))
        {
            RollupFileWriter.Write(file, rollup);
        }
        return RollupFile.Open(Files, name, new ChunkCache(16 << 20));
    }

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
