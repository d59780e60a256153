using Apm.Telemetry;

namespace Apm.Storage.Tests.Embedded;

public sealed class EngineStatusTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Status_RowsInMemoryAndInParts_AreCountedApart()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        await rig.AppendAsync(engine, 1, rows: 20);
        await engine.SealAsync(Cancellation);
        await rig.AppendAsync(engine, 2, rows: 30);
        var status = engine.Status();
        var (spans, logs) = (status.Signals[0], status.Signals[1]);
        Assert.Equal((Signal.Traces, 30, 1, 20), (spans.Signal, spans.HeadRows, spans.Parts, spans.Rows));
        Assert.Equal((Signal.Logs, 15, 1, 10), (logs.Signal, logs.HeadRows, logs.Parts, logs.Rows));
        Assert.Equal(rig.Disk.ReadAll("store/0000000000000001.part").Length, spans.Bytes);
        Assert.Equal([(0, 1L, 20L)], spans.Levels.Select(level => (level.Level, level.Parts, level.Rows)));
        Assert.Equal(20, Assert.Single(spans.Days).Rows);
        Assert.Equal(spans.Bytes + logs.Bytes, status.Merging.SealedBytes);
        Assert.Equal(1.0, status.Merging.WriteAmplification);
        Assert.Empty(status.Problems());
    }

    [Fact]
    public async Task Status_DamagedPartAtStart_IsNamed()
    {
        var rig = new EngineRig();
        await using (var engine = rig.Open())
        {
            await rig.AppendAsync(engine, 1);
        }
        rig.Disk.Corrupt("store/0000000000000001.part", bytes => bytes[^20] ^= 1);
        await using var again = rig.Open();
        var status = again.Status();
        Assert.Equal(1, status.DamagedParts);
        var damaged = Assert.Single(status.Damaged);
        Assert.Equal((Signal.Traces, "0000000000000001.part", 20), (damaged.Signal, damaged.File, damaged.Rows));
        Assert.Contains("checksum", damaged.Reason, StringComparison.Ordinal);
        Assert.NotEmpty(status.Problems());
    }
}
