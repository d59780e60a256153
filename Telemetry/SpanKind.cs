namespace Apm.Telemetry;

/// <summary>opentelemetry.proto.trace.v1.Span.SpanKind.</summary>
public enum SpanKind : byte
{
    Unspecified = 0,
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}
