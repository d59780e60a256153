using System.Text.Json;
using Apm.Query.Json;

namespace Apm.Query.Traces;

// One file: the shapes that are written straight from columns (TraceJson, SpanJson, OutlineJson, LogJson), declared for the OpenAPI document. The tests read
// the API's answers through them, strictly, so that they cannot drift from what is written.

/// <summary>Every span of a trace; a span names its resource and scope by index.</summary>
internal sealed record TraceShape(
    string TraceId, string StartUnixNano, long DurationNano, int SpanCount, bool Truncated,
    IReadOnlyList<ResourceShape> Resources, IReadOnlyList<ScopeShape> Scopes, IReadOnlyList<TraceSpanShape> Spans);

internal sealed record ResourceShape(Dictionary<string, JsonElement> Attributes, string ServiceName);

internal sealed record ScopeShape(string Name, string Version, Dictionary<string, JsonElement> Attributes);

internal sealed record EventShape(string TimeUnixNano, string Name, Dictionary<string, JsonElement> Attributes, uint DroppedAttributesCount);

internal sealed record LinkShape(string TraceId, string SpanId, string TraceState, Dictionary<string, JsonElement> Attributes, uint DroppedAttributesCount);

internal sealed record TraceSpanShape(
    string SpanId, string? ParentSpanId, string Name, string Kind, string Status, string StatusMessage, string StartUnixNano, long DurationNano, string TraceState, uint Flags,
    Dictionary<string, JsonElement> Attributes, uint DroppedAttributesCount, IReadOnlyList<EventShape> Events, uint DroppedEventsCount,
    IReadOnlyList<LinkShape> Links, uint DroppedLinksCount, int Resource, int Scope);

/// <summary>One span with its resource and scope.</summary>
internal sealed record SpanShape(
    string TraceId, string SpanId, string? ParentSpanId, string Name, string Kind, string Status, string StatusMessage, string StartUnixNano, long DurationNano, string TraceState, uint Flags,
    Dictionary<string, JsonElement> Attributes, uint DroppedAttributesCount, IReadOnlyList<EventShape> Events, uint DroppedEventsCount,
    IReadOnlyList<LinkShape> Links, uint DroppedLinksCount, ResourceShape Resource, ScopeShape Scope, DurationRank DurationRank);

/// <summary>What a waterfall needs. Every column has one entry a span, children after their parent, depth first, by start.</summary>
internal sealed record OutlineShape(
    string TraceId, string StartUnixNano, long DurationNano, int SpanCount, int ErrorCount, bool Truncated, IReadOnlyList<TraceServiceAnswer> Services, IReadOnlyList<string> Names,
    OutlineColumnsShape Columns, IReadOnlyList<CriticalSectionShape> CriticalPath, IReadOnlyList<MissingParentShape> MissingParents, IReadOnlyList<RepeatedShape> Repeated,
    OutlineRootShape Root, HeadlineShape? Headline, IReadOnlyList<string> Warnings);

internal sealed record OutlineColumnsShape(
    string[] SpanId, int[] Parent, int[] Depth, int[] Service, int[] Name, int[] Kind, int[] Status, long[] StartNano, long[] DurationNano, long[] SelfNano, int[] Critical,
    int[] Events, int[] Exceptions, int[] Links, int[] Logs, int[] Peer, int[] Detail);

internal sealed record CriticalSectionShape(int Row, long FromNano, long ToNano);

internal sealed record MissingParentShape(int Row, string ParentSpanId);

internal sealed record RepeatedShape(int ParentRow, IReadOnlyList<int> Rows, string Name, string Service, int Count, long DurationNano);

internal sealed record OutlineRootShape(string Service, string Name, string Status, int? HttpStatusCode);

internal sealed record HeadlineShape(double Share, long DurationNano, int Calls, string Service, string? Peer, string? Name, string Kind);
