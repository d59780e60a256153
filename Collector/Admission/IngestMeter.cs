using System.Diagnostics.Metrics;

namespace Apm.Collector.Admission;

/// <summary>The Collector's instruments, meter <c>Apm.Collector</c>; every measurement has the attributes receiver and signal.</summary>
internal sealed class IngestMeter
{
    public const string Name = "Apm.Collector";

    private readonly Counter<long> _requests;
    private readonly Counter<long> _items;
    private readonly Counter<long> _accepted;
    private readonly Counter<long> _rejected;
    private readonly Counter<long> _wireBytes;
    private readonly Counter<long> _bytes;

    public IngestMeter(IMeterFactory factory, InFlightBytes inFlight)
    {
        var meter = factory.Create(Name);
        _requests = meter.CreateCounter<long>("apm.collector.requests", "{request}", "Requests answered; outcome is accepted or the reason of the refusal");
        _items = meter.CreateCounter<long>("apm.collector.items.received", "{item}", "Spans and log records in requests that could be read");
        _accepted = meter.CreateCounter<long>("apm.collector.items.accepted", "{item}", "Items acknowledged, so durable");
        _rejected = meter.CreateCounter<long>("apm.collector.items.rejected", "{item}", "Items not taken, by reason");
        _wireBytes = meter.CreateCounter<long>("apm.collector.received.compressed", "By", "Bytes of bodies as received");
        _bytes = meter.CreateCounter<long>("apm.collector.received", "By", "Bytes of bodies after decompression");
        meter.CreateObservableUpDownCounter("apm.collector.in_flight", () => inFlight.Bytes, "By", "Memory of requests being received");
        meter.CreateObservableUpDownCounter("apm.collector.in_flight.limit", () => inFlight.LimitBytes, "By", "Collector:MaxInFlightBytes");
    }

    public void Request(string receiver, string signal, string outcome, long wireBytes, long bytes)
    {
        KeyValuePair<string, object?> byReceiver = new("receiver", receiver), bySignal = new("signal", signal);
        _requests.Add(1, byReceiver, bySignal, new("outcome", outcome));
        _wireBytes.Add(wireBytes, byReceiver, bySignal);
        _bytes.Add(bytes, byReceiver, bySignal);
    }

    public void Items(string receiver, string signal, long received, long accepted)
    {
        KeyValuePair<string, object?> byReceiver = new("receiver", receiver), bySignal = new("signal", signal);
        _items.Add(received, byReceiver, bySignal);
        _accepted.Add(accepted, byReceiver, bySignal);
    }

    public void Rejected(string receiver, string signal, string reason, long items) =>
        _rejected.Add(items, new("receiver", receiver), new("signal", signal), new("reason", reason));
}
