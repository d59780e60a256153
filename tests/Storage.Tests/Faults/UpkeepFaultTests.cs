using Apm.TestKit;

namespace Apm.Storage.Tests.Faults;

/// <summary>
/// The upkeep (merging, whole parts dropped, parts written anew without a service) on a disk that fails or loses its power at each operation in turn: what is served
/// is the part before or the one after, and in the end the upkeep is done and nothing else is left.
/// </summary>
public sealed class UpkeepFaultTests
{
    public enum Work
    {
        Merge,
        Drop,
        Rewrite,
    }

    /// <summary>Fewer operations would mean that the work was not done.</summary>
    private const int FewestOperations = 8;

    [Theory]
    [InlineData(Work.Merge)]
    [InlineData(Work.Drop)]
    [InlineData(Work.Rewrite)]
    public async Task PowerLostAtAnyOperation_ThePartBeforeOrTheOneAfterIsThere(Work work)
    {
        var upkeep = await MakeAsync(work);
        var operations = await upkeep.OperationsAsync();
        Assert.InRange(operations.Count, FewestOperations, int.MaxValue);
        for (var n = 0; n < operations.Count; n++)
        {
            if (!operations[n].Changes)
            {
                continue; // The disk is as it was before the next operation that changes it.
            }
            var context = $"{work} {n}: {operations[n]}";
            await using var engine = upkeep.Open();
            var first = upkeep.Disk.OperationCount;
            upkeep.Disk.TornWriteShare = 0.5;
            upkeep.Disk.Fault = FaultPlan.FailAt(first + n, andAllAfter: true);
            await upkeep.UntilAsync(() => upkeep.Disk.OperationCount > first + n, context);
            await engine.DisposeAsync();
            var dead = upkeep.Disk;
            foreach (var keeps in Enum.GetValues<CrashKeeps>())
            {
                await upkeep.AssertRecoversAsync(dead.Crash(keeps, new Random(n)), $"{context}, {keeps}");
            }
        }
    }

    [Theory]
    [InlineData(Work.Merge)]
    [InlineData(Work.Drop)]
    [InlineData(Work.Rewrite)]
    public async Task AnyOperationFailsOnce_IsDoneLaterAndNothingIsLeft(Work work)
    {
        var upkeep = await MakeAsync(work);
        var operations = await upkeep.OperationsAsync();
        Assert.InRange(operations.Count, FewestOperations, int.MaxValue);
        for (var n = 0; n < operations.Count; n++)
        {
            await FailOnceAsync(upkeep, n, 0, $"{work} {n}: {operations[n]}");
            if (operations[n].Kind == FileOperationKind.Write)
            {
                await FailOnceAsync(upkeep, n, 0.5, $"{work} {n}, half written: {operations[n]}");
            }
        }
    }

    private static async Task FailOnceAsync(UpkeepCase upkeep, int n, double tornShare, string context)
    {
        await using var engine = upkeep.Open();
        var first = upkeep.Disk.OperationCount;
        FileOperation? failed = null;
        upkeep.Disk.TornWriteShare = tornShare;
        upkeep.Disk.Fault = FaultPlan.FailAt(first + n, failure: operation =>
        {
            failed = operation;
            return new IOException($"{FaultPlan.Message}: {operation}");
        });
        await upkeep.UntilDoneAsync(engine, context);
        upkeep.Disk.Fault = null;
        await upkeep.AssertGoesOnAsync(engine, context);
        // What could not be deleted is deleted at the next start.
        if (failed?.Kind == FileOperationKind.Delete)
        {
            await upkeep.ReopenAsync();
        }
        upkeep.AssertNothingElse(context);
    }

    private static Task<UpkeepCase> MakeAsync(Work work) => work switch
    {
        Work.Merge => UpkeepCase.MergeAsync(),
        Work.Drop => UpkeepCase.DropAsync(),
        _ => UpkeepCase.RewriteAsync(),
    };
}
