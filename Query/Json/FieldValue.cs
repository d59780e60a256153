using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Query.Json;

/// <summary>Values of fields as the API shows them: kind, status and severity as the words that filters use.</summary>
internal static class FieldValue
{
    private static readonly AttributeValue[] s_kinds = Words("unspecified", "internal", "server", "client", "producer", "consumer");
    private static readonly AttributeValue[] s_statuses = Words("unset", "ok", "error");

    private static readonly AttributeValue[] s_severities = [.. Enumerable.Range(0, SeverityNumber.Max + 1).Select(number => AttributeValue.FromString(SeverityNumber.RangeName(number)))];

    public static AttributeValue Shown(Field field, AttributeValue value) => (field.Intrinsic, value.Type) switch
    {
        (Intrinsic.Kind, AttributeType.Int64) => s_kinds[value.Bits >= 0 && value.Bits < s_kinds.Length ? (int)value.Bits : 0],
        (Intrinsic.Status, AttributeType.Int64) => s_statuses[value.Bits >= 0 && value.Bits < s_statuses.Length ? (int)value.Bits : 0],
        (Intrinsic.Severity, AttributeType.Int64) => s_severities[value.Bits is >= 0 and <= SeverityNumber.Max ? (int)value.Bits : 0],
        _ => value,
    };

    public static AttributeValue? Shown(Field field, AttributeValue? value) => value is { } present ? Shown(field, present) : null;

    private static AttributeValue[] Words(params string[] words) => [.. words.Select(AttributeValue.FromString)];
}
