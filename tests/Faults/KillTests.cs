using System.Globalization;
using Apm.TestKit.Processes;

namespace Apm.Faults;

/// <summary>The promise of the README, against the real process: kill -9 at any moment loses nothing acknowledged and shows nothing twice.</summary>
public sealed class KillTests
{
    /// <summary>Rounds of starting, loading and killing; APM_KILL_ROUNDS makes it a long run by hand.</summary>
    internal static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("APM_KILL_ROUNDS") ?? "20", CultureInfo.InvariantCulture);

    private const int Connections = 4;

    // Small heads and segments, so that seals, manifest edits and recycled segments happen within each round, and so kills hit them.
    internal static readonly string[] Settings = ["--Storage:SealRows", "3000", "--Buffer:SegmentBytes", "1048576"];

    [Fact]
    public async Task Kill9_UnderLoadInALoop_LosesNothingAndDoublesNothing()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var directory = Directory.CreateTempSubdirectory("apm-kill-").FullName;
        var stored = new StoredTraces(seed);
        try
        {
            for (var round = 0; round < Rounds; round++)
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
            TestContext.Current.SendDiagnosticMessage($"{Rounds} kills, {stored.Acknowledged} acknowledged traces, {stored.Unknown} without an answer; {output}");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
