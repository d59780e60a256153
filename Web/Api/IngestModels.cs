namespace Apm.Web.Api;

/// <summary>GET ingest, as the Collector sees it since it started.</summary>
internal sealed record IngestStatus(ReceiverStatus[] Receivers, BufferFill? Buffer, IngestTotal[] Totals, Rejection[] Rejections, RecentRejection[] Recent, IngestSeries? Series);

/// <param name="State">"open", "closed" or "failed"; why is in the detail.</param>
internal sealed record ReceiverStatus(string Name, int? Port, string State, string? Detail)
{
    /// <summary>The port of the open OTLP receiver for "http" or "grpc"; null where there is none.</summary>
    public static int? OpenPort(IEnumerable<ReceiverStatus> receivers, string transport) =>
        receivers.FirstOrDefault(receiver => receiver is { State: "open", Port: not null } && receiver.Name.StartsWith("otlp", StringComparison.OrdinalIgnoreCase)
            && receiver.Name.EndsWith(transport, StringComparison.OrdinalIgnoreCase))?.Port;
}

/// <summary>Batches between the Collector and the Ingester.</summary>
internal sealed record BufferFill(long AppendedPosition, long ReadPosition, long CommittedPosition, long UncommittedBytes, long LimitBytes, string? Fault);

internal sealed record IngestTotal(string Receiver, string Signal, long Requests, long Items, long RejectedItems, long RejectedRequests, long Bytes, long CompressedBytes);

internal sealed record Rejection(string Receiver, string Signal, string Reason, long Items, long Requests, long LastUnixNano, string? LastMessage);

internal sealed record RecentRejection(long TimeUnixNano, string Receiver, string Signal, string Reason, string? Message, long Items, string? Peer);

internal sealed record IngestSeries(long StartUnixNano, long StepNano, long[] Items, long[] Rejected);

internal sealed partial class QueryClient
{
    public Task<IngestStatus> IngestAsync(CancellationToken cancellationToken) => GetAsync<IngestStatus>("ingest", new ApiParameters(), cancellationToken);
}
