using System.Globalization;
using Apm.Storage.Columns;
using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Tools;
using Apm.Storage.Tests.Embedded;
using Apm.Telemetry;
using Apm.Telemetry.Filters;
using Apm.TestKit;

namespace Apm.Storage.Tests.Faults;

/// <summary>
/// One bit of one byte of any file of the store is flipped: the store opens, what it answers is right, what is missing is the rows of that file at most, and
/// nothing crashes. APM_FLIP_STRIDE=1 flips a bit of every byte.
/// </summary>
public sealed class BitFlipTests
{
    private static readonly int s_stride = int.Parse(Environment.GetEnvironmentVariable("APM_FLIP_STRIDE") ?? "11", CultureInfo.InvariantCulture);
    private static readonly QueryBudget s_budget = new(TimeSpan.FromMinutes(5), long.MaxValue, long.MaxValue);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Store_OneBitFlippedAnywhere_AnswersRightFromTheRest()
    {
        var rig = new EngineRig();
        await using (var engine = rig.Open())
        {
            for (var position = 1; position <= 3; position++)
            {
                await rig.AppendAsync(engine, position);
                await rig.CompleteAsync(engine.SealAsync(Cancellation));
            }
        }
        var whole = rig.Disk;
        var rowsOf = RowsByFile(whole);
        var flips = 0;
        foreach (var name in whole.ListFiles(EngineRig.Folder).Order(StringComparer.Ordinal))
        {
            var path = EngineRig.Folder + "/" + name;
            var length = whole.ReadAll(path).Length;
            for (var at = flips % s_stride; at < length; at += s_stride)
            {
                var disk = whole.Crash(CrashKeeps.Everything);
                var bit = (byte)(1 << (flips++ % 8));
                disk.Corrupt(path, bytes => bytes[at] ^= bit);
                await AssertAnswersAsync(rig, disk, rowsOf, path, $"{name} byte {at} bit {bit:x2}");
            }
        }
        TestContext.Current.SendDiagnosticMessage($"{flips} flips");
        Assert.True(flips > 100);
    }

    private static async Task AssertAnswersAsync(EngineRig rig, MemoryFileSystem disk, Dictionary<string, string[]> rowsOf, string flipped, string context)
    {
        await using var engine = EmbeddedEngine.Open(disk, EngineRig.Folder, rig.Options, rig.Time, rig.Logger);
        foreach (var signal in new[] { Signal.Traces, Signal.Logs })
        {
            var mine = rowsOf.Where(part => (part.Value[0].Contains(" severity=", StringComparison.Ordinal) ? Signal.Logs : Signal.Traces) == signal).ToArray();
            var rest = mine.Where(part => part.Key != flipped).SelectMany(part => part.Value).ToList();
            var lost = mine.Where(part => part.Key == flipped).SelectMany(part => part.Value).ToHashSet(StringComparer.Ordinal);
            using var lease = engine.Lease(signal);
            var read = ReadAll(lease.Sources, flipped);
            Assert.True(rest.All(read.Remove), $"{context}: rows of other files are missing");
            Assert.True(read.TrueForAll(lost.Remove), $"{context}: rows that were never stored, or twice");

            var filter = Filter.All;
            var counted = signal == Signal.Traces
                ? (await new EmbeddedSpanStore(engine).SearchTracesAsync(new TraceQuery(filter, TimeRange.All, TraceOrder.Newest, 1_000, CountAll: true), s_budget, Cancellation)).MatchedSpans
                : (await new EmbeddedLogStore(engine).SearchLogsAsync(new LogQuery(filter, TimeRange.All, 1_000, CountAll: true), s_budget, Cancellation)).Matched;
            Assert.True(counted >= rest.Count && counted <= mine.Sum(part => part.Value.Length), $"{context}: a search counts {counted} of {mine.Sum(part => part.Value.Length)}");
            var sum = signal == Signal.Traces
                ? await new EmbeddedSpanStore(engine).AggregateAsync(new AggregateQuery(filter, TimeRange.All, 0, [], 10), s_budget, Cancellation)
                : await new EmbeddedLogStore(engine).AggregateAsync(new AggregateQuery(filter, TimeRange.All, 0, [], 10), s_budget, Cancellation);
            Assert.InRange(sum.Groups.Sum(group => group.Total.Count), rest.Count, mine.Sum(part => part.Value.Length));
        }
        await new EmbeddedSpanStore(engine).GetEdgesAsync(TimeRange.All, s_budget, Cancellation);
    }

    private static List<string> ReadAll(IReadOnlyList<RowSource> sources, string flipped)
    {
        var rows = new List<string>();
        foreach (var source in sources)
        {
            for (var number = 0; number < source.BlockCount; number++)
            {
                var target = new ColumnBatch(source.Signal);
                try
                {
                    using var block = source.OpenBlock(number);
                    block.CopyRows(Enumerable.Range(0, block.Rows).ToArray(), target);
                    rows.AddRange(RowText.Of(target));
                }
                catch (CorruptPartException damage)
                {
                    Assert.Equal(flipped, damage.Path);
                }
            }
        }
        return rows;
    }

    private static Dictionary<string, string[]> RowsByFile(MemoryFileSystem disk)
    {
        using var snapshot = StoreSnapshot.Open(disk, EngineRig.Folder);
        return snapshot.Parts.ToDictionary(part => part.Source!.File.Path, part => EngineRig.Rows([part.Source!], part.Listed.Signal), StringComparer.Ordinal);
    }
}
