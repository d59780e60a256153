namespace Apm.Web.Pages;

/// <summary>A change against the period before, in the fewest signs: "+18.2 pt", "−1 %", "was 164 ms", "±0"; null where nothing can be said.</summary>
internal static class Delta
{
    public static string? Relative(double now, double? before, Texts texts)
    {
        if (before is not { } was)
            return texts["Services.New"];
        if (was <= 0)
            return now <= 0 ? "±0" : texts["Services.New"];
        var percent = (now - was) / was * 100;
        return Math.Abs(percent) < 0.5 ? "±0" : Math.Abs(percent) >= 1000 ? "×" + Format.Compact(now / was) : Format.Signed($"{Math.Abs(percent):0} %", percent);
    }

    public static string? Points(double now, double? before, Texts texts)
    {
        if (before is not { } was)
            return null;
        var points = (now - was) * 100;
        return Math.Abs(points) < 0.05 ? "±0" : Format.Signed(texts["Services.Points", Math.Abs(points).ToString("0.0", System.Globalization.CultureInfo.InvariantCulture)], points);
    }

    public static string? Duration(double? now, double? before, Texts texts)
    {
        if (now is not { } value || before is not { } was || was <= 0)
            return null;
        if (value >= ServiceRowFactor * was || value <= was / ServiceRowFactor)
            return texts["Services.Was", Format.Duration(was)];
        var change = value - was;
        return Math.Abs(change) < 0.01 * was ? "±0" : Format.Signed(Format.Duration(Math.Abs(change)).ToString(), change);
    }

    /// <summary>From this factor the old value says more than the difference.</summary>
    private const double ServiceRowFactor = 1.5;
}
