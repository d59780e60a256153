using System.Globalization;
using Apm.TestKit.Processes;

namespace Apm.Faults;

/// <summary>The promise of the README, against the real process: kill -9 at any moment loses nothing acknowledged and shows nothing twice.</summary>
public sealed class KillTests
{
    /// <summary>Rounds of starting, loading and killing; APM_KILL_ROUNDS makes it a long run by hand.</summary>
    private static readonly int s_rounds = Rounds(20);

    private const int Connections = 4;

    // Small heads and segments, so that seals, manifest edits and recycled segments happen within each round, and so kills hit them.
    internal static readonly string[] Settings = ["--Storage:SealRows", "3000", "--Buffer:SegmentBytes", "1048576"];

    /// <summary>
    /// Heads so small that each round seals dozens, so that merges run all the time; and what <see cref="FleetingSender"/> sends expires at once, so that parts are
    /// written anew and dropped between them.
    /// </summary>
    private static readonly string[] s_busySettings =
        ["--Storage:SealRows", "200", "--Storage:SealAge", "00:00:01", "--Buffer:SegmentBytes", "1048576", "--Retention:Spans:Services:" + FleetingSender.Service, "1m", "--Retention:Logs:Default", "1m"];

    /// <summary>Fewer, as each stores some thousand spans, and every trace is asked for in the end.</summary>
    private static readonly int s_busyRounds = Rounds(8);

    /// <summary>Of all rows: longer than what is fleeting is kept.</summary>
    private static readonly TimeSpan s_age = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task Kill9_WhilePartsAreMergedWrittenAnewAndDropped_LosesNothingAndDoublesNothing()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var directory = Directory.CreateTempSubdirectory("apm-kill-").FullName;
        var stored = new StoredTraces(seed);
        var seen = new UpkeepSeen();
        var fleeting = 0L;
        try
        {
            for (var round = 0; round < s_busyRounds; round++)
            {
                await using var standalone = await StandaloneProcess.StartAsync(directory, s_busySettings);
                var sender = new TraceSender((ulong)round + 1, s_age);
                var beside = new FleetingSender((ulong)round + 1, s_age);
                var wanted = random.Next(1, 400);
                var killAfter = TimeSpan.FromMilliseconds(random.Next(0, 1_000));
                var sending = Task.WhenAll(sender.RunAsync(standalone.Port, Connections, CancellationToken.None), beside.RunAsync(standalone.Port));
                await standalone.EventuallyAsync(_ => Task.FromResult(sender.Acknowledged.Count), count => count >= wanted, TimeSpan.FromSeconds(20));
                await seen.AskAsync(standalone.Client);
                await Task.Delay(killAfter);
                await standalone.KillAsync();
                await sending;
                stored.Add(sender);
                fleeting += beside.AcknowledgedSpans;
            }
            await using (var last = await StandaloneProcess.StartAsync(directory, s_busySettings))
            {
                await stored.AssertStoredAsync(last);
                Assert.InRange(await StoredTraces.CountAllAsync(last.Client, FleetingSender.Service), 0, fleeting - 1);
                await seen.AskAsync(last.Client);
            }
            Assert.True(seen is { Merged: > 0, Rewritten: > 0, Dropped: > 0, Level: > 1 }, seen.ToString());
            var (exitCode, output) = await ToolProcess.RunAsync("verify", directory);
            Assert.True(exitCode == 0, $"seed {seed}: {output}");
            TestContext.Current.SendDiagnosticMessage($"{s_busyRounds} kills, {stored.Acknowledged} acknowledged traces, {stored.Unknown} without an answer, {seen}; {output}");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Kill9_UnderLoadInALoop_LosesNothingAndDoublesNothing()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var directory = Directory.CreateTempSubdirectory("apm-kill-").FullName;
        var stored = new StoredTraces(seed);
        try
        {
            for (var round = 0; round < s_rounds; round++)
            {
                await using var standalone = await StandaloneProcess.StartAsync(directory, Settings);
                var sender = new TraceSender((ulong)round + 1);
                // Killed by what was achieved, not by the clock: the machine may be busy with other tests. The moment within a commit or a seal is random.
                var wanted = random.Next(1, 400);
                var killAfter = TimeSpan.FromMilliseconds(random.Next(0, 250));
                using var never = new CancellationTokenSource();
                var sending = sender.RunAsync(standalone.Port, Connections, never.Token);
                await standalone.EventuallyAsync(_ => Task.FromResult(sender.Acknowledged.Count), count => count >= wanted, TimeSpan.FromSeconds(20));
                await Task.Delay(killAfter);
                await standalone.KillAsync();
                await sending;
                stored.Add(sender);
            }
            await using (var last = await StandaloneProcess.StartAsync(directory, Settings))
            {
                await stored.AssertStoredAsync(last);
            }
            var (exitCode, output) = await ToolProcess.RunAsync("verify", directory);
            Assert.True(exitCode == 0, $"seed {seed}: {output}");
            TestContext.Current.SendDiagnosticMessage($"{s_rounds} kills, {stored.Acknowledged} acknowledged traces, {stored.Unknown} without an answer; {output}");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static int Rounds(int normally) => int.Parse(Environment.GetEnvironmentVariable("APM_KILL_ROUNDS") ?? normally.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
