namespace Apm.Telemetry.Otlp;

/// <summary>Why one span or log record is not taken. The names, in snake case, are values of a metric attribute: keep them.</summary>
public enum RejectionReason : byte
{
    None = 0,
    InvalidTraceId,
    InvalidSpanId,
    InvalidParentSpanId,
    InvalidLinkId,
    InvalidTime,
    NameTooLong,
    KeyTooLong,
    ValueTooLarge,
    TooManyAttributes,
    NestingTooDeep,
    ItemTooLarge,
}

/// <summary>The texts of <see cref="RejectionReason"/>.</summary>
public static class RejectionReasons
{
    /// <summary>Number of enum members, for arrays indexed by reason.</summary>
    public const int Count = (int)RejectionReason.ItemTooLarge + 1;

    /// <summary>The reason in snake case, for metrics.</summary>
    public static string Text(RejectionReason reason) => reason switch
    {
        RejectionReason.None => "none",
        RejectionReason.InvalidTraceId => "invalid_trace_id",
        RejectionReason.InvalidSpanId => "invalid_span_id",
        RejectionReason.InvalidParentSpanId => "invalid_parent_span_id",
        RejectionReason.InvalidLinkId => "invalid_link_id",
        RejectionReason.InvalidTime => "invalid_time",
        RejectionReason.NameTooLong => "name_too_long",
        RejectionReason.KeyTooLong => "key_too_long",
        RejectionReason.ValueTooLarge => "value_too_large",
        RejectionReason.TooManyAttributes => "too_many_attributes",
        RejectionReason.NestingTooDeep => "nesting_too_deep",
        RejectionReason.ItemTooLarge => "item_too_large",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "unknown rejection reason"),
    };
}
