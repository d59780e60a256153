using System.Globalization;
using Apm.Bench;
using Apm.Telemetry;
using Apm.TestKit.Processes;

namespace Apm.Faults;

/// <summary>
/// More than the process may hold, over HTTP and gRPC at once, from senders that do not wait as they are told: each refusal says when to try again, memory stays bounded, and
/// what was acknowledged is there. The bench "overload" is the long form.
/// </summary>
public sealed class OverloadTests
{
    private const string SmallHttp = "small requests over HTTP";
    private const string SmallGrpc = "small requests over gRPC";
    private const string LargeHttp = "large requests over HTTP";
    private const string LargeGrpc = "large requests over gRPC";

    private const int SmallConnections = 12;

    /// <summary>Of each protocol; their bodies together are above what requests being received may hold.</summary>
    private const int LargeConnections = 9;

    /// <summary>Traces of a large request, each with <see cref="PaddingBytes"/>: 17 MiB.</summary>
    private const int LargeTraces = 18;

    private const int PaddingBytes = 1_000_000;

    /// <summary>What the product promises at three times the load that it can sustain.</summary>
    private const long MaxResidentBytes = 1L << 30;

    private const int WantedRefusals = 10;

    private const int WantedAcknowledged = 20;

    /// <summary>Longest wait for refusals and acknowledgements of each kind: the machine may be busy with other tests.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly List<TraceId> _acknowledged = [];
    private readonly List<TraceId> _unknown = [];
    private readonly Dictionary<string, (int Acknowledged, int Refused)> _answers = [];

    [Fact]
    public async Task Overload_OverHttpAndGrpc_RefusesWithADelay_StaysBounded_AndKeepsWhatItAcknowledged()
    {
        await using var standalone = await StandaloneProcess.StartAsync();
        using var stop = new CancellationTokenSource();
        using var client = GrpcConnection.CreateClient();
        var senders = new List<Task>();
        for (var i = 0; i < SmallConnections; i++)
        {
            senders.Add(Start(SmallHttp, new HttpConnection(standalone.HttpPort), TraceSender.TracesPerRequest, 0, stop.Token));
            senders.Add(Start(SmallGrpc, new GrpcConnection(client, standalone.GrpcPort), TraceSender.TracesPerRequest, 0, stop.Token));
        }
        var clients = Enumerable.Range(0, LargeConnections).Select(_ => GrpcConnection.CreateClient()).ToList();
        foreach (var own in clients)
        {
            senders.Add(Start(LargeHttp, new HttpConnection(standalone.HttpPort), LargeTraces, PaddingBytes, stop.Token));
            senders.Add(Start(LargeGrpc, new GrpcConnection(own, standalone.GrpcPort), LargeTraces, PaddingBytes, stop.Token));
        }
        var isEnough = await standalone.EventuallyAsync(_ => Task.FromResult(IsEnough()), enough => enough, s_patience);
        await stop.CancelAsync();
        await Task.WhenAll(senders);
        clients.ForEach(own => own.Dispose());
        Assert.True(isEnough, $"not enough was refused and acknowledged: {string.Join(", ", _answers)}");
        Assert.InRange(PeakResidentBytes(standalone), 1, MaxResidentBytes);
        await KeptAsync(standalone);
    }

    private async Task KeptAsync(StandaloneProcess standalone)
    {
        var expected = (long)_acknowledged.Count * TraceSender.SpansPerTrace;
        var most = expected + ((long)_unknown.Count * TraceSender.SpansPerTrace);
        Assert.InRange(await standalone.EventuallyAsync(StoredTraces.CountAllAsync, count => count >= expected, s_patience), expected, most);
        foreach (var id in _acknowledged.Where((_, i) => i % (1 + (_acknowledged.Count / 50)) == 0))
        {
            Assert.Equal(TraceSender.SpansPerTrace, await StoredTraces.CountSpansAsync(standalone, id));
        }
        // The load is over: the next request is taken at once.
        using var connection = new HttpConnection(standalone.HttpPort);
        Assert.Equal(AnswerKind.Accepted, connection.Send(Signal.Traces, TraceSender.Encode([new TraceId(ulong.MaxValue, 1)]), gzip: false).Kind);
    }

    /// <summary>Large requests, of which not all fit, were refused over either protocol, and all the while small ones were taken.</summary>
    private bool IsEnough()
    {
        lock (_lock)
        {
            return new[] { LargeHttp, LargeGrpc }.All(kind => _answers.GetValueOrDefault(kind).Refused >= WantedRefusals)
                && new[] { SmallHttp, SmallGrpc }.All(kind => _answers.GetValueOrDefault(kind).Acknowledged >= WantedAcknowledged)
                && _answers[LargeHttp].Acknowledged + _answers[LargeGrpc].Acknowledged > 0;
        }
    }

    private Task Start(string kind, IConnection connection, int traces, int paddingBytes, CancellationToken stop)
    {
        var seed = (ulong)Random.Shared.NextInt64();
        return Task.Factory.StartNew(() => Send(kind, connection, seed, traces, paddingBytes, stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Send(string kind, IConnection connection, ulong seed, int traces, int paddingBytes, CancellationToken stop)
    {
        using var _ = connection;
        for (ulong next = 1; !stop.IsCancellationRequested; next += (ulong)traces)
        {
            var ids = Enumerable.Range(0, traces).Select(i => new TraceId(seed, next + (ulong)i)).ToArray();
            Answer answer;
            try
            {
                answer = connection.Send(Signal.Traces, TraceSender.Encode(ids, paddingBytes), gzip: false);
            }
            catch (IOException)
            {
                // A refused sender may find the connection closed before it has read why.
                lock (_lock)
                {
                    _unknown.AddRange(ids);
                }
                continue;
            }
            // 429 without Retry-After, or RESOURCE_EXHAUSTED without RetryInfo, is a failure too: the sender would drop its data.
            Assert.True(answer.Kind != AnswerKind.Failed, $"{kind} was answered {answer.Status}");
            lock (_lock)
            {
                var (acknowledged, refused) = _answers.GetValueOrDefault(kind);
                if (answer.Kind == AnswerKind.Accepted)
                {
                    _acknowledged.AddRange(ids);
                    _answers[kind] = (acknowledged + 1, refused);
                    continue;
                }
                Assert.True(answer.RetryAfter > TimeSpan.Zero, $"{kind} was refused with a delay of {answer.RetryAfter}");
                _answers[kind] = (acknowledged, refused + 1);
            }
        }
    }

    private static long PeakResidentBytes(StandaloneProcess standalone) => 1024 * long.Parse(
        File.ReadLines($"/proc/{standalone.ProcessId}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
