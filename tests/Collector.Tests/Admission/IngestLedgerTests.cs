using System.Diagnostics.Metrics;
using Apm.Collector.Admission;
using Apm.Telemetry.Otlp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Apm.Collector.Tests.Admission;

public sealed class IngestLedgerTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly IngestLedger _ledger;

    public IngestLedgerTests() => _ledger = new IngestLedger(_time, new IngestMeter(_services.GetRequiredService<IMeterFactory>(), new InFlightBytes(1)));

    public void Dispose() => _services.Dispose();

    [Fact]
    public void Record_Accepted_AddsUpByReceiverAndSignal()
    {
        _ledger.Record("OtlpHttp", "traces", Outcome.Accepted(OtlpCheck.Traces(Requests.Traces(Requests.GoodSpan, Requests.BadSpan))), 10, 30, "peer");
        _ledger.Record("OtlpHttp", "traces", Outcome.Accepted(OtlpCheck.Traces(Requests.Traces(Requests.GoodSpan))), 5, 5, null);
        var total = Assert.Single(_ledger.Snapshot().Totals);
        Assert.Equal((2L, 3L, 1L, 0L, 35L, 15L), (total.Requests, total.Items, total.RejectedItems, total.RejectedRequests, total.Bytes, total.CompressedBytes));
        var recent = Assert.Single(_ledger.Snapshot().Recent);
        Assert.Equal(("invalid_trace_id", 1, "peer"), (recent.Reason, recent.Items, recent.Peer));
    }

    [Fact]
    public void Record_ManyRefusals_KeepsTheLastHundredAndAllTheCounts()
    {
        for (var i = 0; i < 250; i++)
        {
            _ledger.Record("OtlpGrpc", "logs", Outcome.Failed(OutcomeKind.Malformed, "malformed", $"{i} {new string('x', 5000)}"), 1, 0, null);
        }
        var snapshot = _ledger.Snapshot();
        Assert.Equal(IngestLedger.MaxRecent, snapshot.Recent.Count);
        Assert.StartsWith("249 ", snapshot.Recent[0].Message, StringComparison.Ordinal);
        Assert.All(snapshot.Recent, recent => Assert.InRange(recent.Message.Length, 1, IngestLedger.MaxMessageChars + 1));
        Assert.Equal(250, Assert.Single(snapshot.Rejections).Requests);
    }

    [Fact]
    public void Snapshot_AfterTime_MovesTheSeriesOnAndForgetsAnHour()
    {
        var check = OtlpCheck.Traces(Requests.Traces(Requests.GoodSpan));
        _ledger.Record("OtlpGrpc", "traces", Outcome.Accepted(check), 1, 1, null);
        _time.Advance(TimeSpan.FromSeconds(20));
        _ledger.Record("OtlpGrpc", "traces", Outcome.Accepted(check), 1, 1, null);
        var series = _ledger.Snapshot().Series;
        Assert.Equal((IngestLedger.Steps, 1L, 0L, 1L), (series.Items.Length, series.Items[^3], series.Items[^2], series.Items[^1]));
        Assert.Equal(0, series.StartUnixNano % IngestLedger.StepNano);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.All(_ledger.Snapshot().Series.Items, items => Assert.Equal(0, items));
    }
}
