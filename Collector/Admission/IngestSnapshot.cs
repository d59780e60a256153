using System.Text.Json.Serialization;
using Apm.DurableBuffer;

namespace Apm.Collector.Admission;

/// <summary>A copy of the ledger.</summary>
internal sealed record IngestSnapshot(IReadOnlyList<IngestTotal> Totals, IReadOnlyList<IngestRejection> Rejections, IReadOnlyList<RecentRejection> Recent, IngestSeries Series);

/// <summary>The answer of <c>GET /api/v1/ingest</c>.</summary>
internal sealed record IngestReport(IReadOnlyList<ReceiverPort> Receivers, BufferStatus Buffer, IReadOnlyList<IngestTotal> Totals,
    IReadOnlyList<IngestRejection> Rejections, IReadOnlyList<RecentRejection> Recent, IngestSeries Series);

/// <summary>Sums since the start. Mutable inside the ledger only, under its lock.</summary>
internal sealed record IngestTotal(string Receiver, string Signal)
{
    public long Requests { get; set; }

    public long Items { get; set; }

    public long RejectedItems { get; set; }

    public long RejectedRequests { get; set; }

    public long Bytes { get; set; }

    public long CompressedBytes { get; set; }
}

/// <summary>Sums for a reason since the start. Mutable inside the ledger only, under its lock.</summary>
internal sealed record IngestRejection(string Receiver, string Signal, string Reason)
{
    public long Items { get; set; }

    public long Requests { get; set; }

    [JsonNumberHandling(JsonNumberHandling.WriteAsString)]
    public long LastUnixNano { get; set; }

    public string LastMessage { get; set; } = "";
}

internal sealed record RecentRejection([property: JsonNumberHandling(JsonNumberHandling.WriteAsString)] long TimeUnixNano,
    string Receiver, string Signal, string Reason, string Message, int Items, string? Peer);

internal sealed record IngestSeries([property: JsonNumberHandling(JsonNumberHandling.WriteAsString)] long StartUnixNano, long StepNano, long[] Items, long[] Rejected);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(IngestReport))]
internal sealed partial class IngestJson : JsonSerializerContext;
