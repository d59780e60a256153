using Apm.Telemetry;

namespace Apm.Collector.Otlp;

/// <summary>What the OTLP specification calls things for one signal.</summary>
/// <param name="Name">In metrics and the ingest report.</param>
/// <param name="Signal">Null: the signal exists in OTLP but not here.</param>
/// <param name="RejectedField">The JSON name of partial_success's first field.</param>
internal sealed record OtlpSignal(string Name, Signal? Signal, string HttpPath, string GrpcPath, string RejectedField)
{
    public static readonly OtlpSignal[] All =
    [
        new("traces", Telemetry.Signal.Traces, "/v1/traces", "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "rejectedSpans"),
        new("logs", Telemetry.Signal.Logs, "/v1/logs", "/opentelemetry.proto.collector.logs.v1.LogsService/Export", "rejectedLogRecords"),
        new("metrics", null, "/v1/metrics", "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "rejectedDataPoints"),
        new("profiles", null, "/v1development/profiles", "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export", "rejectedProfiles"),
    ];

    /// <summary>Not retryable for a sender: 404 over HTTP, UNIMPLEMENTED over gRPC.</summary>
    public string NotEnabledMessage => $"{Name} are not enabled on this server";

    public static OtlpSignal? FindByGrpcPath(string? path) => Array.Find(All, signal => string.Equals(signal.GrpcPath, path, StringComparison.Ordinal));
}
