using Apm.Storage.Embedded.Merging;
using Apm.Telemetry;

namespace Apm.Storage.Tests.Merging;

public sealed class MergePolicyTests
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    private static int Today => MergePolicy.DayOf(s_noon);

    [Fact]
    public void Next_FewPartsOfToday_IsNothing() => Assert.Null(Next(Parts(15, level: 0), s_noon));

    [Fact]
    public void Next_SixteenOfALevel_JoinsThem()
    {
        var choice = Next(Parts(20, level: 0), s_noon)!;
        Assert.Equal(Enumerable.Range(0, 16).Select(id => (long)id), choice.Inputs.Select(part => part.Id));
        Assert.Equal(1, choice.Level);
    }

    [Fact]
    public void Next_NextPartWouldNotFit_JoinsThoseThatDo()
    {
        var choice = Next(Parts(7, level: 1, bytes: 80 << 20), s_noon)!;
        Assert.Equal((6, 2), (choice.Inputs.Count, choice.Level));
        Assert.Null(Next(Parts(6, level: 1, bytes: 80 << 20), s_noon));
    }

    [Fact]
    public void Next_LargeParts_AreLeftAlone() => Assert.Null(Next([.. Parts(20, level: 0, bytes: 300 << 20), .. Parts(20, level: 2, bytes: 400 << 20)], s_noon));

    [Fact]
    public void Next_OtherDayOrSignal_IsNotJoined()
    {
        MergeCandidate[] parts = [.. Parts(10, 0), .. Parts(10, 0, day: Today + 1), .. Parts(10, 0, signal: Signal.Logs)];
        Assert.Null(Next(parts, s_noon));
    }

    [Fact]
    public void Next_DayThatHasEnded_IsJoinedWhateverItsParts()
    {
        Assert.Null(Next(Parts(2, 0, day: Today - 1), s_noon.Date.AddMinutes(59)));
        Assert.Equal((2, 1), Describe(Next(Parts(2, 0, day: Today - 1), s_noon)));
        Assert.Equal((3, 2), Describe(Next([.. Parts(1, 0, day: Today - 1), .. Parts(2, 1, day: Today - 1)], s_noon)));
        Assert.Null(Next([.. Parts(1, 0, day: Today - 1), .. Parts(3, 2, day: Today - 1)], s_noon));
    }

    [Fact]
    public void Next_ManySmallPartsOfTheLastLevel_AreJoinedWhileTheBudgetLasts()
    {
        var parts = Parts(8, 2, bytes: 1 << 20, day: Today - 3);
        Assert.Equal((8, 3), Describe(MergePolicy.Next(parts, s_noon, sealedBytes: 8 << 20, mergedBytes: 8 << 20)));
        Assert.Null(MergePolicy.Next(parts, s_noon, sealedBytes: 8 << 20, mergedBytes: (8 << 20) + 1));
        // What other parts are due is not spent on these.
        Assert.Null(MergePolicy.Next([.. parts, .. Parts(1, 0, bytes: 1)], s_noon, sealedBytes: 8 << 20, mergedBytes: 8 << 20));
    }

    /// <summary>Long random histories: quick and slow, large and tiny seals, late rows, a clock that jumps, merges that save nothing or much.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Next_RandomHistories_KeepsTheBudgetAndFewParts(int seed)
    {
        var random = new Random(seed);
        var now = s_noon;
        var parts = new List<MergeCandidate>();
        var (nextId, sealedBytes, mergedBytes) = (1L, 0L, 0L);
        var saving = seed % 3 == 0 ? 1.0 : 0.7 + (random.NextDouble() * 0.3);
        for (var step = 0; step < 3_000; step++)
        {
            now += random.Next(200) switch
            {
                0 => TimeSpan.FromHours(random.Next(48)),
                1 => -TimeSpan.FromHours(random.Next(48)),
                _ => TimeSpan.FromSeconds(random.Next(seed % 2 == 0 ? 5 : 300)),
            };
            var bytes = random.Next(10) == 0 ? random.Next(1, 60 << 20) : random.Next(1, 6 << 20);
            var late = random.Next(20) == 0 ? random.Next(3) : 0;
            var signal = random.Next(3) == 0 ? Signal.Logs : Signal.Traces;
            parts.Add(new MergeCandidate(nextId++, signal, 0, bytes, MergePolicy.DayOf(now) - late));
            sealedBytes += bytes;
            while (MergePolicy.Next(parts, now, sealedBytes, mergedBytes) is { } choice)
            {
                Assert.InRange(choice.Inputs.Count, 2, MergePolicy.FanIn);
                Assert.InRange(choice.Bytes, 0, MergePolicy.MaxBytes);
                Assert.Single(choice.Inputs.Select(part => (part.Signal, part.Day)).Distinct());
                Assert.True(choice.Level > choice.Inputs.Max(part => part.Level));
                parts.RemoveAll(choice.Inputs.Contains);
                var output = (long)(choice.Bytes * saving);
                mergedBytes += output;
                parts.Add(new MergeCandidate(nextId++, choice.Inputs[0].Signal, choice.Level, output, choice.Inputs[0].Day));
            }
            Assert.True(sealedBytes + mergedBytes <= MergePolicy.MaxAmplification * sealedBytes, $"step {step}: {(double)(sealedBytes + mergedBytes) / sealedBytes} bytes written for each sealed");
            foreach (var group in parts.GroupBy(part => (part.Signal, part.Day)))
            {
                Assert.InRange(group.Count(part => part.Level == 0), 0, MergePolicy.FanIn - 1);
                Assert.InRange(group.Count(part => part.Level == 1), 0, MergePolicy.FanIn - 1);
            }
        }
        // About 9 GB in 3,000 parts.
        Assert.InRange(parts.Count, 1, 250);
    }

    /// <summary>A seal every five minutes for a month, a few kilobytes each: 17,280 parts of level 0.</summary>
    [Fact]
    public void Next_LowTraffic_LeavesFewPartsADay()
    {
        var parts = new List<MergeCandidate>();
        var now = s_noon.Date.ToUniversalTime();
        var (nextId, sealedBytes, mergedBytes) = (1L, 0L, 0L);
        for (var step = 0; step < 30 * 288; step++)
        {
            now = now.AddMinutes(5);
            foreach (var signal in new[] { Signal.Traces, Signal.Logs })
            {
                parts.Add(new MergeCandidate(nextId++, signal, 0, 40_000, MergePolicy.DayOf(now)));
                sealedBytes += 40_000;
            }
            while (MergePolicy.Next(parts, now, sealedBytes, mergedBytes) is { } choice)
            {
                parts.RemoveAll(choice.Inputs.Contains);
                mergedBytes += choice.Bytes;
                parts.Add(new MergeCandidate(nextId++, choice.Inputs[0].Signal, choice.Level, choice.Bytes, choice.Inputs[0].Day));
            }
        }
        Assert.InRange(parts.Count, 1, 30 * 2 * 3);
        Assert.True(sealedBytes + mergedBytes <= MergePolicy.MaxAmplification * sealedBytes);
    }

    private static MergeChoice? Next(IReadOnlyCollection<MergeCandidate> parts, DateTimeOffset now) => MergePolicy.Next(parts, now, 0, 0);

    private static (int Inputs, int Level) Describe(MergeChoice? choice) => choice is null ? default : (choice.Inputs.Count, choice.Level);

    private static MergeCandidate[] Parts(int count, int level, long bytes = 5 << 20, int? day = null, Signal signal = Signal.Traces) =>
        [.. Enumerable.Range(0, count).Select(id => new MergeCandidate(id, signal, level, bytes, day ?? Today))];
}
