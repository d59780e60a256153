namespace Apm.Storage.Embedded.Rollups;

/// <summary>Widths of a rollup's cells. Slots are numbered from the epoch, in units of the width.</summary>
internal enum RollupTier : byte
{
    Minute = 0,
    TenMinutes = 1,
    Hour = 2,
}

internal static class RollupTiers
{
    public const int Count = 3;

    public const long MinuteNano = 60L * 1_000_000_000;

    public static int Minutes(RollupTier tier) => tier switch { RollupTier.Minute => 1, RollupTier.TenMinutes => 10, _ => 60 };

    public static long WidthNano(RollupTier tier) => Minutes(tier) * MinuteNano;

    /// <summary>The minute that a time lies in: any time's fits in an int.</summary>
    public static int MinuteOf(long unixNano) => (int)(unixNano >= 0 ? unixNano / MinuteNano : ((unixNano + 1) / MinuteNano) - 1);

    /// <summary>The first whole minute of a range, and the minute after its last; none when they are not in order.</summary>
    public static (int From, int To) WholeMinutes(Telemetry.TimeRange range)
    {
        var from = MinuteOf(range.StartUnixNano);
        return (range.StartUnixNano == from * MinuteNano ? from : from + 1, MinuteOf(range.EndUnixNano));
    }

    /// <summary>Minutes cut into the widest slots of tiers that lie in them whole, and that steps are made of.</summary>
    /// <param name="stepNano">0: there are no steps.</param>
    public static IEnumerable<(RollupTier Tier, int From, int To)> Pieces(int from, int to, long stepNano, RollupTier widest = RollupTier.Hour)
    {
        if (from >= to)
        {
            return [];
        }
        if (widest == RollupTier.Minute)
        {
            return [(widest, from, to)];
        }
        var minutes = Minutes(widest);
        var first = -SlotOf(-from, minutes) * minutes;
        var end = SlotOf(to, minutes) * minutes;
        return first >= end || stepNano % WidthNano(widest) != 0
            ? Pieces(from, to, stepNano, widest - 1)
            : [(widest, first, end), .. Pieces(from, first, stepNano, widest - 1), .. Pieces(end, to, stepNano, widest - 1)];
    }

    /// <summary>The slot of a tier that a minute lies in.</summary>
    public static int SlotOf(int minute, int minutes) => minute >= 0 ? minute / minutes : ((minute + 1) / minutes) - 1;
}
