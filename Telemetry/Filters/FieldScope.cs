namespace Apm.Telemetry.Filters;

/// <summary>Where a filter looks for an attribute; TraceQL's scopes.</summary>
public enum FieldScope
{
    /// <summary>Not an attribute: an <see cref="Filters.Intrinsic"/>.</summary>
    Intrinsic,
    /// <summary>No scope given (<c>.http.route</c>): the record's own attribute if it has one, else its resource's.</summary>
    Any,
    /// <summary><c>span.</c> or <c>log.</c>: the attributes of the span or log record itself.</summary>
    Record,
    /// <summary><c>resource.</c></summary>
    Resource,
    /// <summary><c>instrumentation.</c>: attributes of the instrumentation scope.</summary>
    InstrumentationScope,
    /// <summary><c>event.</c>: matches when any event of the span does.</summary>
    Event,
    /// <summary><c>link.</c>: matches when any link of the span does.</summary>
    Link,
}
