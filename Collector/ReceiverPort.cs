using System.Text.Json.Serialization;

namespace Apm.Collector;

[JsonConverter(typeof(JsonStringEnumConverter<ReceiverState>))]
public enum ReceiverState
{
    [JsonStringEnumMemberName("open")]
    Open,
    /// <summary>Switched off by its settings.</summary>
    [JsonStringEnumMemberName("closed")]
    Closed,
    /// <summary>Its default port was taken; the others work.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}

/// <summary>A receiver and its port, as found at start. Immutable.</summary>
/// <param name="Name">As in the settings: <see cref="ReceiverNames"/>.</param>
/// <param name="Port">The port it listens on, or would.</param>
/// <param name="Detail">Why it is not open, or null.</param>
public sealed record ReceiverPort(string Name, int Port, ReceiverState State, string? Detail);

/// <summary>Receivers, as they are called in settings, metrics and the ingest report.</summary>
public static class ReceiverNames
{
    public const string OtlpGrpc = "OtlpGrpc";

    /// <summary>OTLP/HTTP, on its own port and on the main one.</summary>
    public const string OtlpHttp = "OtlpHttp";

    /// <summary>IANA-registered for OTLP/gRPC.</summary>
    public const int OtlpGrpcDefaultPort = 4317;

    /// <summary>IANA-registered for OTLP/HTTP.</summary>
    public const int OtlpHttpDefaultPort = 4318;
}
