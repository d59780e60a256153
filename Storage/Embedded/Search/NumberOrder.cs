using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>Exact order between 64-bit integers and doubles, also where a double cannot hold the integer.</summary>
internal static class NumberOrder
{
    private const double TwoTo63 = 9_223_372_036_854_775_808.0;

    public static bool IsNumber(AttributeType type) => type is AttributeType.Int64 or AttributeType.Double;

    /// <summary>Negative, 0 or positive; null when either is NaN.</summary>
    public static int? Compare(AttributeType leftType, long leftBits, AttributeType rightType, long rightBits) => (leftType, rightType) switch
    {
        (AttributeType.Int64, AttributeType.Int64) => leftBits.CompareTo(rightBits),
        (AttributeType.Int64, AttributeType.Double) => Compare(leftBits, BitConverter.Int64BitsToDouble(rightBits)),
        (AttributeType.Double, AttributeType.Int64) => -Compare(rightBits, BitConverter.Int64BitsToDouble(leftBits)),
        _ => CompareDoubles(BitConverter.Int64BitsToDouble(leftBits), BitConverter.Int64BitsToDouble(rightBits)),
    };

    /// <summary>The integers for which <c>integer op literal</c> holds, as a closed interval and whether it is to be inverted; null when there are none.</summary>
    public static (long Low, long High, bool Inverted)? Interval(ComparisonOperator comparison, in AttributeValue literal)
    {
        if (!IsNumber(literal.Type) || (literal.Type == AttributeType.Double && double.IsNaN(literal.AsDouble())))
        {
            return null;
        }
        var equal = EqualInteger(literal);
        return comparison switch
        {
            ComparisonOperator.Equal => equal is { } value ? (value, value, false) : null,
            ComparisonOperator.NotEqual => equal is { } value ? (value, value, true) : (long.MinValue, long.MaxValue, false),
            ComparisonOperator.Less or ComparisonOperator.LessOrEqual => Below(literal, comparison == ComparisonOperator.LessOrEqual),
            _ => Above(literal, comparison == ComparisonOperator.GreaterOrEqual),
        };
    }

    /// <summary>The integer equal to a number, if there is one.</summary>
    public static long? EqualInteger(in AttributeValue number)
    {
        if (number.Type == AttributeType.Int64)
        {
            return number.Bits;
        }
        var value = number.AsDouble();
        return value is >= -TwoTo63 and < TwoTo63 && Math.Floor(value) == value ? (long)value : null;
    }

    private static (long, long, bool)? Below(in AttributeValue literal, bool inclusive)
    {
        if (literal.Type == AttributeType.Int64)
        {
            return inclusive ? (long.MinValue, literal.Bits, false) : literal.Bits == long.MinValue ? null : (long.MinValue, literal.Bits - 1, false);
        }
        var value = literal.AsDouble();
        var floor = Math.Floor(value);
        return floor >= TwoTo63 ? (long.MinValue, long.MaxValue, false)
            : floor < -TwoTo63 ? null
            : floor == value && !inclusive ? (long)floor == long.MinValue ? null : (long.MinValue, (long)floor - 1, false)
            : (long.MinValue, (long)floor, false);
    }

    private static (long, long, bool)? Above(in AttributeValue literal, bool inclusive)
    {
        if (literal.Type == AttributeType.Int64)
        {
            return inclusive ? (literal.Bits, long.MaxValue, false) : literal.Bits == long.MaxValue ? null : (literal.Bits + 1, long.MaxValue, false);
        }
        var value = literal.AsDouble();
        var ceiling = Math.Ceiling(value);
        return ceiling >= TwoTo63 ? null
            : ceiling < -TwoTo63 ? (long.MinValue, long.MaxValue, false)
            : ceiling == value && !inclusive ? (long)ceiling == long.MaxValue ? null : ((long)ceiling + 1, long.MaxValue, false)
            : ((long)ceiling, long.MaxValue, false);
    }

    private static int? CompareDoubles(double left, double right) => double.IsNaN(left) || double.IsNaN(right) ? null : left < right ? -1 : left > right ? 1 : 0;

    private static int? Compare(long left, double right)
    {
        if (double.IsNaN(right))
        {
            return null;
        }
        if (right >= TwoTo63)
        {
            return -1;
        }
        if (right < -TwoTo63)
        {
            return 1;
        }
        var floor = Math.Floor(right);
        var order = left.CompareTo((long)floor);
        return order != 0 ? order : right > floor ? -1 : 0;
    }
}
