namespace Apm.Telemetry.Filters;

/// <summary>Fields that every record has, with the names a filter uses for them.</summary>
public enum Intrinsic
{
    None,
    /// <summary><c>name</c>, <c>span:name</c>: string.</summary>
    Name,
    /// <summary><c>kind</c>, <c>span:kind</c>: unspecified, internal, server, client, producer, consumer; an Int64 of <see cref="SpanKind"/>.</summary>
    Kind,
    /// <summary><c>status</c>, <c>span:status</c>: unset, ok, error; an Int64 of <see cref="Telemetry.StatusCode"/>.</summary>
    Status,
    /// <summary><c>statusMessage</c>, <c>span:statusMessage</c>: string.</summary>
    StatusMessage,
    /// <summary><c>duration</c>, <c>span:duration</c>: Int64 nanoseconds.</summary>
    Duration,
    /// <summary><c>rootName</c>, <c>trace:rootName</c>: name of the trace's root span.</summary>
    RootName,
    /// <summary><c>rootServiceName</c>, <c>trace:rootService</c>: service.name of the trace's root span.</summary>
    RootServiceName,
    /// <summary><c>traceDuration</c>, <c>trace:duration</c>: latest end minus earliest start in the trace, Int64 nanoseconds.</summary>
    TraceDuration,
    /// <summary><c>trace:id</c>: string of 32 hexadecimal digits; = and != only.</summary>
    TraceId,
    /// <summary><c>span:id</c>: string of 16 hexadecimal digits; = and != only.</summary>
    SpanId,
    /// <summary><c>span:parentID</c>: string of 16 hexadecimal digits, "" for a root; = and != only.</summary>
    ParentSpanId,
    /// <summary><c>event:name</c>: string; matches when any event does.</summary>
    EventName,
    /// <summary><c>instrumentation:name</c>: string.</summary>
    ScopeName,
    /// <summary><c>instrumentation:version</c>: string.</summary>
    ScopeVersion,
    /// <summary><c>severity</c> of a log record: trace, debug, info, warn, error, fatal (compares by range: <c>severity >= warn</c>) or a number 1–24; an Int64.</summary>
    Severity,
    /// <summary><c>severityText</c> of a log record: string.</summary>
    SeverityText,
    /// <summary><c>body</c> of a log record: string; a body of another type compares as <see cref="Attributes.AttributeValue.ToString"/>.</summary>
    Body,
}
