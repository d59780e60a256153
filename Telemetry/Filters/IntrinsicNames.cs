namespace Apm.Telemetry.Filters;

/// <summary>How filters write the intrinsics, and of what type their values are.</summary>
public static class IntrinsicNames
{
    internal enum ValueKind
    {
        Text,
        Duration,
        Kind,
        Status,
        Severity,
        TraceId,
        SpanId,
    }

    private sealed record Entry(Intrinsic Intrinsic, string Name, string[] Aliases, ValueKind Kind, bool OfSpans, bool OfLogs, string Meaning);

    private static readonly Entry[] s_entries =
    [
        new(Intrinsic.Name, "name", ["span:name", "eventName"], ValueKind.Text, true, true, "name of the span, or event name of the log record"),
        new(Intrinsic.Kind, "kind", ["span:kind"], ValueKind.Kind, true, false, "server, client, producer, consumer, internal"),
        new(Intrinsic.Status, "status", ["span:status"], ValueKind.Status, true, false, "error, ok, unset"),
        new(Intrinsic.StatusMessage, "statusMessage", ["span:statusMessage"], ValueKind.Text, true, false, "the status' description"),
        new(Intrinsic.Duration, "duration", ["span:duration"], ValueKind.Duration, true, false, "duration of the span"),
        new(Intrinsic.RootName, "rootName", ["trace:rootName"], ValueKind.Text, true, false, "name of the trace's root span"),
        new(Intrinsic.RootServiceName, "rootServiceName", ["trace:rootService"], ValueKind.Text, true, false, "service of the trace's root span"),
        new(Intrinsic.TraceDuration, "traceDuration", ["trace:duration"], ValueKind.Duration, true, false, "duration of the whole trace"),
        new(Intrinsic.TraceId, "trace:id", ["traceId", "trace:traceID"], ValueKind.TraceId, true, true, "32 hexadecimal digits"),
        new(Intrinsic.SpanId, "span:id", ["spanId", "span:spanID"], ValueKind.SpanId, true, true, "16 hexadecimal digits"),
        new(Intrinsic.ParentSpanId, "span:parentID", ["parentId"], ValueKind.SpanId, true, false, "16 hexadecimal digits; nil for a root"),
        new(Intrinsic.EventName, "event:name", [], ValueKind.Text, true, false, "name of any event of the span"),
        new(Intrinsic.ScopeName, "instrumentation:name", [], ValueKind.Text, true, true, "name of the instrumentation scope"),
        new(Intrinsic.ScopeVersion, "instrumentation:version", [], ValueKind.Text, true, true, "version of the instrumentation scope"),
        new(Intrinsic.Severity, "severity", ["log:severity"], ValueKind.Severity, false, true, "trace, debug, info, warn, error, fatal"),
        new(Intrinsic.SeverityText, "severityText", ["log:severityText"], ValueKind.Text, false, true, "the severity as its source wrote it"),
        new(Intrinsic.Body, "body", ["log:body"], ValueKind.Text, false, true, "the log record's message"),
    ];

    private static readonly Dictionary<string, Entry> s_byName = s_entries
        .SelectMany(entry => entry.Aliases.Prepend(entry.Name).Select(name => (name, entry)))
        .ToDictionary(pair => pair.name, pair => pair.entry, StringComparer.OrdinalIgnoreCase);

    private static readonly Dictionary<Intrinsic, Entry> s_byIntrinsic = s_entries.ToDictionary(entry => entry.Intrinsic);

    /// <summary>The name a filter uses: <c>duration</c>, <c>trace:id</c>.</summary>
    public static string NameOf(Intrinsic intrinsic) => s_byIntrinsic[intrinsic].Name;

    /// <summary>What the field holds, in a few words, for completion.</summary>
    public static string MeaningOf(Intrinsic intrinsic) => s_byIntrinsic[intrinsic].Meaning;

    /// <summary>The intrinsics that records of the signal have.</summary>
    public static IEnumerable<Intrinsic> Of(Signal signal) => s_entries.Where(entry => Has(entry, signal)).Select(entry => entry.Intrinsic);

    /// <summary>Old and new TraceQL names, in any case. Does not look at the signal.</summary>
    public static bool TryParse(string name, out Intrinsic intrinsic)
    {
        var found = s_byName.TryGetValue(name, out var entry);
        intrinsic = entry?.Intrinsic ?? Intrinsic.None;
        return found;
    }

    public static bool Has(Signal signal, Intrinsic intrinsic) => Has(s_byIntrinsic[intrinsic], signal);

    internal static ValueKind KindOf(Intrinsic intrinsic) => s_byIntrinsic[intrinsic].Kind;

    private static bool Has(Entry entry, Signal signal) => signal == Signal.Traces ? entry.OfSpans : entry.OfLogs;
}
