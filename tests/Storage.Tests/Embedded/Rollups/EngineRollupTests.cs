using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Apm.Telemetry.Filters;
using Apm.TestKit;

namespace Apm.Storage.Tests.Embedded.Rollups;

/// <summary>Rollups as the engine keeps them beside its parts.</summary>
public sealed class EngineRollupTests
{
    private const string File = "store/0000000000000001.rollup";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static async Task<(long Count, int Rollups, long Rows)> CountAsync(EmbeddedEngine engine)
    {
        var query = new AggregateQuery(Filter.All, TimeRange.All, 0, []);
        var result = await new EmbeddedSpanStore(engine).AggregateAsync(query, QueryBudget.Default, Cancellation);
        Assert.True(result.Scan.Complete);
        return (result.Groups[0].Total.Count, result.Scan.RollupsRead, result.Scan.RowsScanned);
    }

    private static async Task<EmbeddedEngine> OpenSealedAsync(EngineRig rig)
    {
        var engine = rig.Open();
        await rig.AppendAsync(engine, 1, rows: 600);
        await engine.SealAsync(Cancellation);
        return engine;
    }

    [Fact]
    public async Task Seal_Spans_AreAnsweredFromTheirRollup()
    {
        var rig = new EngineRig();
        await using var engine = await OpenSealedAsync(rig);
        Assert.True(rig.Disk.FileExists(File));
        Assert.Equal((600, 1, 0), await CountAsync(engine));
    }

    [Fact]
    public async Task Open_Rollup_IsThereAgain()
    {
        var rig = new EngineRig();
        await (await OpenSealedAsync(rig)).DisposeAsync();
        await using var engine = rig.Open();
        Assert.Equal((600, 1, 0), await CountAsync(engine));
    }

    [Theory]
    [InlineData("gone")]
    [InlineData("damaged footer")]
    [InlineData("damaged content")]
    public async Task Open_RollupMissingOrDamaged_IsMadeAgain(string how)
    {
        var rig = new EngineRig();
        await (await OpenSealedAsync(rig)).DisposeAsync();
        if (how == "gone")
        {
            rig.Disk.Delete(File);
        }
        else
        {
            rig.Disk.Corrupt(File, bytes => bytes[how == "damaged footer" ? ^20 : 30] ^= 1);
        }
        await using var engine = rig.Open();
        Assert.Equal(600, (await CountAsync(engine)).Count);
        using (var lease = engine.Lease(Signal.Traces))
        {
            // The sealing thread makes it when the clock wakes it.
            while (lease.Sources.OfType<PartSource>().Single().Rollup is null)
            {
                rig.Time.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
            }
        }
        Assert.Equal((600, 1, 0), await CountAsync(engine));
    }

    [Fact]
    public async Task Seal_RollupCannotBeWritten_SealsAndAnswersFromRows()
    {
        var rig = new EngineRig();
        rig.Disk.Fault = operation => operation.Path.EndsWith(".rollup", StringComparison.Ordinal) ? new IOException("no rollup today") : null;
        await using var engine = await OpenSealedAsync(rig);
        Assert.Equal(1, engine.CoveredByAll);
        Assert.Equal((600, 0, 600), await CountAsync(engine));
    }

    /// <summary>A receipt waits for the call that its link names, and the rollup of the call's part takes it: also when that part is listed at a second try only.</summary>
    [Fact]
    public async Task Seal_ListFailsOnce_KeepsTheEdgeThatWaited()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        await engine.AppendAsync(TestRecord.ToBatch(Signal.Traces, [EdgeAnswerTests.Receive]), 1, Cancellation);
        await engine.SealAsync(Cancellation);
        await engine.AppendAsync(TestRecord.ToBatch(Signal.Traces, [EdgeAnswerTests.Send]), 2, Cancellation);
        var failed = false;
        rig.Disk.Fault = operation => !failed && operation.Kind == FileOperationKind.Sync && operation.Path.EndsWith(Manifest.FileName, StringComparison.Ordinal) && (failed = true)
            ? new IOException(FaultPlan.Message)
            : null;
        await rig.CompleteAsync(engine.SealAsync(Cancellation));
        Assert.True(failed);
        var edge = Assert.Single((await new EmbeddedSpanStore(engine).GetEdgesAsync(TimeRange.All, QueryBudget.Default, Cancellation)).Edges);
        Assert.Equal(("web", "ship", 1L), (edge.Client, edge.Server, edge.Calls));
    }
}
