using Apm.Telemetry.Filters;

namespace Apm.Telemetry.Tests.Filters;

/// <summary>Structural equality of filters: records compare arrays and regular expressions by reference.</summary>
internal static class FilterEquality
{
    public static bool Same(Filter left, Filter right) => (left, right) switch
    {
        (AndFilter a, AndFilter b) => Same(a.Filters, b.Filters),
        (OrFilter a, OrFilter b) => Same(a.Filters, b.Filters),
        (NotFilter a, NotFilter b) => Same(a.Operand, b.Operand),
        (RegexFilter a, RegexFilter b) => a.Field == b.Field && a.Negated == b.Negated && a.Pattern.ToString() == b.Pattern.ToString(),
        _ => left == right,
    };

    private static bool Same(IReadOnlyList<Filter> left, IReadOnlyList<Filter> right) => left.Count == right.Count && left.Zip(right).All(pair => Same(pair.First, pair.Second));
}
