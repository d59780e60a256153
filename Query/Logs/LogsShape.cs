using System.Text.Json;
using Apm.Query.Json;
using Apm.Query.Traces;

namespace Apm.Query.Logs;

/// <summary>Log records as <see cref="LogJson"/> writes them, declared for the OpenAPI document; the tests read answers through it.</summary>
internal sealed record LogsShape(IReadOnlyList<LogRecordShape> Records, long Matched, string? NextCursor, ScanAnswer Scan);

internal sealed record LogRecordShape(
    string TimeUnixNano, string ObservedTimeUnixNano, int SeverityNumber, string Severity, string SeverityText, JsonElement Body, string EventName, string? TraceId, string? SpanId,
    string Service, LogResourceShape Resource, ScopeShape Scope, Dictionary<string, JsonElement> Attributes, uint DroppedAttributesCount, uint Flags);

internal sealed record LogResourceShape(Dictionary<string, JsonElement> Attributes);
