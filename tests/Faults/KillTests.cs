using System.Globalization;
using System.Net;
using System.Text.Json;
using Apm.Telemetry;
using Apm.TestKit.Processes;

namespace Apm.Faults;

/// <summary>The promise of the README, against the real process: kill -9 at any moment loses nothing acknowledged and shows nothing twice.</summary>
public sealed class KillTests
{
    /// <summary>Rounds of starting, loading and killing; APM_KILL_ROUNDS makes it a long run by hand.</summary>
    private static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("APM_KILL_ROUNDS") ?? "20", CultureInfo.InvariantCulture);

    private const int Connections = 4;

    // Small heads and segments, so that seals, manifest edits and recycled segments happen within each round, and so kills hit them.
    private static readonly string[] Settings = ["--Storage:SealRows", "3000", "--Buffer:SegmentBytes", "1048576"];

    [Fact]
    public async Task Kill9_UnderLoadInALoop_LosesNothingAndDoublesNothing()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var directory = Directory.CreateTempSubdirectory("apm-kill-").FullName;
        var acknowledged = new List<TraceId>();
        var unknown = new List<TraceId>();
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
                acknowledged.AddRange(sender.Acknowledged);
                unknown.AddRange(sender.Unknown);
            }
            Assert.NotEmpty(acknowledged);
            await using var last = await StandaloneProcess.StartAsync(directory, Settings);
            var lost = new List<TraceId>();
            foreach (var id in acknowledged)
            {
                if (await CountSpansAsync(last, id) != TraceSender.SpansPerTrace)
                {
                    lost.Add(id);
                }
            }
            Assert.True(lost.Count == 0, $"seed {seed}: {lost.Count} of {acknowledged.Count} acknowledged traces are not whole, first {lost.FirstOrDefault()}");
            long expected = (long)acknowledged.Count * TraceSender.SpansPerTrace;
            foreach (var id in unknown)
            {
                // A request without an answer is stored whole or not at all.
                var count = await CountSpansAsync(last, id);
                Assert.True(count is 0 or TraceSender.SpansPerTrace, $"seed {seed}: trace {id} has {count} spans");
                expected += count;
            }
            Assert.Equal(expected, await CountAllAsync(last.Client));
            TestContext.Current.SendDiagnosticMessage($"{Rounds} kills, {acknowledged.Count} acknowledged traces, {unknown.Count} without an answer");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    internal static async Task<int> CountSpansAsync(StandaloneProcess standalone, TraceId id)
    {
        using var response = await standalone.Client.GetAsync($"api/v1/traces/{id}");
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return 0;
        }
        response.EnsureSuccessStatusCode();
        using var trace = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        var ids = trace.RootElement.GetProperty("spans").EnumerateArray().Select(span => span.GetProperty("spanId").GetString()).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        return ids.Count;
    }

    internal static async Task<long> CountAllAsync(HttpClient client)
    {
        using var answer = JsonDocument.Parse(await client.GetStringAsync("api/v1/spans/red?from=now-1d&to=now%2B1h"));
        return answer.RootElement.GetProperty("groups").EnumerateArray().Sum(group => group.GetProperty("count").GetInt64());
    }
}
