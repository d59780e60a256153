using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Rollups;
using Apm.Storage.Embedded.Tools;
using Apm.Storage.Tests.Embedded;
using Apm.TestKit;

namespace Apm.Storage.Tests.Tools;

public sealed class RollupVerifierTests
{
    private const string Path = "a.rollup";

    [Fact]
    public void Verify_OneBitFlippedAnywhere_IsFound()
    {
        var (disk, part) = Write(seed: 3, rows: 40);
        using (part)
        {
            Assert.Empty(RollupVerifier.Verify(disk, Path, part, level: 0));
            var length = disk.ReadAll(Path).Length;
            for (var at = 0; at < length; at++)
            {
                disk.Corrupt(Path, bytes => bytes[at] ^= (byte)(1 << (at % 8)));
                var findings = RollupVerifier.Verify(disk, Path, part, level: 0);
                Assert.True(findings.Count > 0 && findings[0].File == Path && findings[0].Offset <= at, $"byte {at}: {string.Join('\n', findings)}");
                disk.Corrupt(Path, bytes => bytes[at] ^= (byte)(1 << (at % 8)));
            }
        }
    }

    [Fact]
    public void Verify_RollupOfAnotherPart_IsFound()
    {
        var (disk, part) = Write(seed: 3, rows: 40);
        var (other, otherPart) = Write(seed: 4, rows: 40);
        using (part)
        using (otherPart)
        {
            Assert.Single(RollupVerifier.Verify(other, Path, part, level: 0));
            Assert.Empty(RollupVerifier.Verify(disk, "none.rollup", part, level: 0));
            var (small, smallPart) = Write(seed: 3, rows: 39);
            Assert.Contains("counts 39 spans", RollupVerifier.Verify(small, Path, part, level: 1)[0].What, StringComparison.Ordinal);
            smallPart.Dispose();
            var (large, largePart) = Write(seed: 3, rows: 41);
            Assert.Contains("counts 41 spans", RollupVerifier.Verify(large, Path, part, level: 1)[0].What, StringComparison.Ordinal);
            largePart.Dispose();
        }
    }

    private static (MemoryFileSystem Disk, PartSource Part) Write(int seed, int rows)
    {
        var disk = new MemoryFileSystem();
        using (var file = disk.Create("a.part"))
        {
            using var content = new BatchContent([new RandomBatch(seed).Spans(rows)]);
            PartWriter.Write(file, content);
        }
        var part = new PartSource(PartFile.Open(disk, "a.part"), new ChunkCache(1 << 20));
        using (var file = disk.Create(Path))
        {
            RollupFileWriter.Write(file, RollupBuilder.Build(part));
        }
        return (disk, part);
    }
}
