using Apm.Storage.Embedded.Tools;
using Apm.Storage.Tests.Embedded;
using Apm.Telemetry;

namespace Apm.Storage.Tests.Tools;

public sealed class StoreInspectionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_WhileTheEngineRuns_AccountsForEveryByte()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        await rig.AppendAsync(engine, 7, rows: 500);
        await engine.SealAsync(Cancellation);
        var before = rig.Disk.OperationCount;
        var report = StoreInspection.Run(rig.Disk, EngineRig.Folder, null, Cancellation);
        Assert.DoesNotContain(rig.Disk.Operations.Skip(before), operation => operation.Changes);
        Assert.Equal((7, 7), (report.CoveredSpans, report.CoveredLogs));
        Assert.Equal([(Signal.Traces, 500L), (Signal.Logs, 250L)], report.Parts.Select(part => (part.Signal, part.Rows)));
        foreach (var part in report.Parts)
        {
            // Header, footer and trailer are no columns; of two blocks at most they are small.
            Assert.InRange(part.Bytes - part.Columns.Sum(column => column.StoredBytes), 33, 300);
            Assert.Equal(part.Bytes, rig.Disk.ReadAll($"store/{part.Id}.part").Length);
            Assert.All(part.Columns, column => Assert.Empty(column.Encodings));
        }
    }

    [Fact]
    public async Task Run_OnePart_SaysHowItIsEncoded()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        await rig.AppendAsync(engine, 1, rows: 500);
        await engine.SealAsync(Cancellation);
        var part = Assert.Single(StoreInspection.Run(rig.Disk, EngineRig.Folder, "1", Cancellation).Parts);
        Assert.Equal("0000000000000001", part.Id);
        var kind = part.Columns.Single(column => column is { Column: "kind", Kind: "integers" });
        Assert.Equal((1, 500L, "packed:1"), (kind.Chunks, kind.Values, string.Join(' ', kind.Encodings.Select(encoding => $"{encoding.Key}:{encoding.Value}"))));
        Assert.Contains(part.Columns, column => column is { Column: "name", Kind: "dictionary", Values: > 20 });
        Assert.Contains(part.Columns, column => column is { Column: "attribute.key.3", Kind: "codes" });
        Assert.Empty(StoreInspection.Run(rig.Disk, EngineRig.Folder, "99", Cancellation).Parts);
    }

    [Fact]
    public async Task Run_DamagedAndUnlistedFiles_AreSaid()
    {
        var rig = new EngineRig();
        await using (var engine = rig.Open())
        {
            await rig.AppendAsync(engine, 1);
        }
        rig.Disk.Corrupt("store/0000000000000001.part", bytes => bytes[^20] ^= 1);
        rig.Disk.Create("store/note.txt").Dispose();
        var report = StoreInspection.Run(rig.Disk, EngineRig.Folder, null, Cancellation);
        Assert.Equal(["store/0000000000000001.part"], report.Findings.Select(finding => finding.File));
        Assert.Equal([Signal.Logs], report.Parts.Select(part => part.Signal));
        Assert.Equal(["manifest", "manifest.2", "note.txt"], report.OtherFiles.Select(file => file.Name));
    }
}
