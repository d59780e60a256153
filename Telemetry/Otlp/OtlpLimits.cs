using Apm.Telemetry.Attributes;

namespace Apm.Telemetry.Otlp;

/// <summary>
/// Bounds on one span or log record. An item beyond one is rejected and counted, whole: nothing of it is kept, cut or changed, and the items beside it
/// are not affected. They lie far above what instrumentation sends, and below what would make one item a burden to every query that meets it.
/// </summary>
public static class OtlpLimits
{
    /// <summary>UTF-8 bytes of a name: span, event, scope, event_name, severity_text, trace_state. Names are listed and grouped by; the longest seen in practice are URLs of a few KiB.</summary>
    public const int MaxNameBytes = 64 * 1024;

    /// <summary>UTF-8 bytes of an attribute key.</summary>
    public const int MaxKeyBytes = 4 * 1024;

    /// <summary>Bytes of an attribute's encoded value, a log record's body, or a status message. Long stack traces and SQL texts are tens of KiB.</summary>
    public const int MaxValueBytes = 1024 * 1024;

    /// <summary>Attributes of one resource, scope, span, event, link or log record: 16 times the default limit of the OpenTelemetry SDKs.</summary>
    public const int MaxAttributes = 2048;

    /// <summary>Encoded bytes of one span or log record with everything in it; bounds its events and links too.</summary>
    public const int MaxItemBytes = 8 * 1024 * 1024;

    /// <summary>Arrays and key-value lists inside one another; a plain value is at depth 0.</summary>
    public const int MaxDepth = AttributeJson.MaxDepth;
}
