using Apm.Telemetry;

namespace Apm.Query.Tests;

/// <summary>One span of a test, with what is usual left out. Times are milliseconds after <see cref="Batches.Origin"/>.</summary>
internal sealed record SpanRow(string Service, string Name, double StartMs, double DurationMs)
{
    public ulong Trace { get; init; } = 1;
    public ulong Id { get; init; }
    public ulong Parent { get; init; }
    public SpanKind Kind { get; init; } = SpanKind.Internal;
    public StatusCode Status { get; init; }
    public string StatusMessage { get; init; } = "";
    public (string Key, object? Value)[] Attributes { get; init; } = [];
    public (string Key, object? Value)[] Resource { get; init; } = [];
    public (double AtMs, string Name, (string Key, object? Value)[] Attributes)[] Events { get; init; } = [];
    public (ulong Trace, ulong Span)[] Links { get; init; } = [];
}

/// <summary>One log record of a test.</summary>
internal sealed record LogRow(string Service, double AtMs, object? Body)
{
    public byte Severity { get; init; } = SeverityNumber.Info;
    public string SeverityText { get; init; } = "";
    public string EventName { get; init; } = "";
    public ulong Trace { get; init; }
    public ulong Span { get; init; }
    public (string Key, object? Value)[] Attributes { get; init; } = [];
}
