using System.Globalization;

namespace Apm.Telemetry.Otlp;

/// <summary>The verdict on one item, or on a part of it.</summary>
/// <param name="Reason">None: the item is taken.</param>
/// <param name="Actual">The length, count or nanoseconds that broke the rule.</param>
public readonly record struct Rejection(RejectionReason Reason, ulong Actual)
{
    public bool IsNone => Reason == RejectionReason.None;

    /// <summary>What was found and what would be right, for the sender: "trace_id of 7 bytes, must be 16".</summary>
    public string Describe() => Reason switch
    {
        RejectionReason.InvalidTraceId => DescribeId("trace_id", TraceId.SizeBytes),
        RejectionReason.InvalidSpanId => DescribeId("span_id", SpanId.SizeBytes),
        RejectionReason.InvalidParentSpanId => DescribeId("parent_span_id", SpanId.SizeBytes),
        RejectionReason.InvalidLinkId => Text($"a link's trace_id or span_id of {Actual} bytes, must be {TraceId.SizeBytes} and {SpanId.SizeBytes}"),
        RejectionReason.InvalidTime => Text($"a time of {Actual} ns since 1970, must be at most {long.MaxValue}"),
        RejectionReason.NameTooLong => Text($"a name of {Actual} bytes, must be at most {OtlpLimits.MaxNameBytes}"),
        RejectionReason.KeyTooLong => Text($"an attribute key of {Actual} bytes, must be at most {OtlpLimits.MaxKeyBytes}"),
        RejectionReason.ValueTooLarge => Text($"a value of {Actual} bytes, must be at most {OtlpLimits.MaxValueBytes}"),
        RejectionReason.TooManyAttributes => Text($"{Actual} attributes or more, must be at most {OtlpLimits.MaxAttributes}"),
        RejectionReason.NestingTooDeep => Text($"arrays or key-value lists nested deeper than {OtlpLimits.MaxDepth}"),
        RejectionReason.ItemTooLarge => Text($"an item of {Actual} bytes, must be at most {OtlpLimits.MaxItemBytes}"),
        _ => "",
    };

    private string DescribeId(string field, int sizeBytes) =>
        Actual == (ulong)sizeBytes ? $"{field} is all zero" : Text($"{field} of {Actual} bytes, must be {sizeBytes}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
