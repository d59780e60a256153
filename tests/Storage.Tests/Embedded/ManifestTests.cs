using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry;
using Apm.Telemetry.Files;
using Apm.TestKit;

namespace Apm.Storage.Tests.Embedded;

public sealed class ManifestTests
{
    private readonly MemoryFileSystem _disk = new();

    public ManifestTests() => _disk.CreateDirectory("store");

    [Fact]
    public void Open_AfterEdits_HasPartsPositionsAndTotals()
    {
        using (var manifest = Manifest.Open(_disk, "store"))
        {
            manifest.Commit(new ManifestEdit([Part(1, 0), Part(2, 0)], [], 5, 6));
            manifest.Commit(new ManifestEdit([Part(3, 1)], [1, 2], 5, 6));
            // The same again, as after a failure: counts once.
            manifest.Commit(new ManifestEdit([Part(3, 1)], [1, 2], 5, 6));
        }
        using var again = Manifest.Open(_disk, "store");
        Assert.Equal([Part(3, 1)], again.Parts);
        Assert.Equal((5, 6, 200, 100), (again.CoveredSpans, again.CoveredLogs, again.SealedBytes, again.MergedBytes));
        Assert.Equal(_disk.ReadAll("store/manifest"), _disk.ReadAll("store/manifest.2"));
    }

    /// <summary>Such damage looks like a torn write, which never counted.</summary>
    [Theory]
    [InlineData("store/manifest")]
    [InlineData("store/manifest.2")]
    public void Open_LastEditOfOneCopyDamaged_IsReadFromTheOther(string damaged)
    {
        using (var manifest = Manifest.Open(_disk, "store"))
        {
            manifest.Commit(new ManifestEdit([Part(1, 0)], [], 1, 1));
            manifest.Commit(new ManifestEdit([Part(2, 0)], [], 2, 2));
        }
        _disk.Corrupt(damaged, bytes => bytes[^1] ^= 1);
        using var again = Manifest.Open(_disk, "store");
        Assert.Equal([Part(1, 0), Part(2, 0)], again.Parts);
        Assert.Equal(2, again.CoveredSpans);
        Assert.Null(again.Damage);
    }

    [Theory]
    [InlineData("store/manifest", 3)]
    [InlineData("store/manifest.2", 3)]
    [InlineData("store/manifest", 30)]
    [InlineData("store/manifest.2", 30)]
    public void Open_OneCopyDamagedBeforeItsEnd_IsReadFromTheOther(string damaged, int at)
    {
        using (var manifest = Manifest.Open(_disk, "store"))
        {
            manifest.Commit(new ManifestEdit([Part(1, 0)], [], 1, 1));
            manifest.Commit(new ManifestEdit([Part(2, 0)], [], 2, 2));
            manifest.Commit(new ManifestEdit([], [1], 3, 3));
        }
        _disk.Corrupt(damaged, bytes => bytes[at] ^= 1);
        using var again = Manifest.Open(_disk, "store");
        Assert.Equal([Part(2, 0)], again.Parts);
        Assert.Null(again.Damage);
        Assert.Equal([damaged["store/".Length..]], again.DamagedCopies.Keys);
    }

    [Fact]
    public void Open_OneCopyGone_IsReadFromTheOther()
    {
        foreach (var gone in new[] { "store/manifest", "store/manifest.2" })
        {
            using (var manifest = Manifest.Open(_disk, "store"))
            {
                manifest.Commit(new ManifestEdit([Part(7, 0)], [], 1, 1));
            }
            _disk.Delete(gone);
            using var again = Manifest.Open(_disk, "store");
            Assert.Equal([Part(7, 0)], again.Parts);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Open_OlderVersion_IsRead(byte version)
    {
        var payload = new ByteWriter();
        if (version == 2)
        {
            payload.VarUInt(7);
        }
        payload.VarInt(9);
        payload.VarInt(8);
        if (version == 2)
        {
            payload.VarUInt(100);
            payload.VarUInt(0);
        }
        payload.VarUInt(1);
        payload.VarUInt(4);
        payload.Byte((byte)Signal.Logs);
        payload.VarUInt(0);
        payload.VarUInt(10);
        payload.VarUInt(100);
        if (version == 2)
        {
            payload.VarInt(0);
        }
        payload.VarUInt(0);
        var content = new ByteWriter();
        content.Bytes("APMMANI\n"u8);
        content.Bytes([version, 0, 0, 0]);
        content.UInt32(Crc32C.Compute(content.Written));
        content.UInt32((uint)payload.Length);
        content.UInt32(Crc32C.Compute(payload.Written));
        content.Bytes(payload.Written);
        using (var file = _disk.Create("store/manifest"))
        {
            file.Write(content.Written, 0);
        }
        using (var manifest = Manifest.Open(_disk, "store"))
        {
            Assert.Equal([new ManifestPart(4, Signal.Logs, 0, 10, 100)], manifest.Parts);
            Assert.Equal(4, manifest.LastId);
            manifest.Commit(new ManifestEdit([Part(5, 0)], [], 10, 10));
        }
        using var again = Manifest.Open(_disk, "store");
        Assert.Equal(2, again.Parts.Count);
        Assert.Equal((10, 10), (again.CoveredSpans, again.CoveredLogs));
    }

    [Fact]
    public void Open_HighestPartRemovedAndTheListRewritten_KnowsItsId()
    {
        using (var manifest = Manifest.Open(_disk, "store"))
        {
            manifest.Commit(new ManifestEdit([Part(8, 0), Part(9, 0)], [], 1, 1));
            manifest.Commit(new ManifestEdit([], [9], 1, 1));
        }
        for (var start = 0; start < 3; start++)
        {
            using var again = Manifest.Open(_disk, "store");
            Assert.Equal(9, again.LastId);
            again.Commit(new ManifestEdit([], [8], 1, 1));
        }
    }

    /// <summary>Whatever a crash leaves of both files, an edit that was committed counts, and one that was not does so whole or not at all.</summary>
    [Theory]
    [InlineData(CrashKeeps.SyncedOnly)]
    [InlineData(CrashKeeps.Prefix)]
    [InlineData(CrashKeeps.Sectors)]
    [InlineData(CrashKeeps.Everything)]
    public void Commit_CrashAtAnyOperation_LeavesTheOldListOrTheNew(CrashKeeps keeps)
    {
        for (var n = 0; ; n++)
        {
            var disk = new MemoryFileSystem { TornWriteShare = 0.6 };
            disk.CreateDirectory("store");
            disk.SyncDirectory("");
            disk.Fault = FaultPlan.FailAt(n, andAllAfter: true);
            var committed = 0;
            var died = false;
            try
            {
                using var manifest = Manifest.Open(disk, "store");
                for (var id = 1; id <= 4; id++)
                {
                    manifest.Commit(new ManifestEdit([Part(id, 0)], id > 1 ? [id - 1] : [], id, id));
                    committed = id;
                }
            }
            catch (IOException)
            {
                died = true;
            }
            using var again = Manifest.Open(disk.Crash(keeps, new Random(n)), "store");
            Assert.InRange(again.CoveredSpans, committed, Math.Min(committed + 1, 4));
            Assert.Equal(again.CoveredSpans == 0 ? [] : [Part(again.CoveredSpans, 0)], again.Parts);
            Assert.Null(again.Damage);
            if (!died)
            {
                Assert.True(n > 20);
                return;
            }
        }
    }

    private static ManifestPart Part(long id, int level) => new(id, Signal.Traces, level, 10, 100, 1_700_000_000);
}
