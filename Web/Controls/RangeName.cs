using System.Globalization;

namespace Apm.Web.Controls;

/// <summary>The range in words ("Past 30 min") and in numbers ("02:48 – 03:18 UTC").</summary>
internal static class RangeName
{
    public static string Of(PageContext page)
    {
        var state = page.State;
        if (state.To == PageState.DefaultTo && TimeExpression.TrySplit(state.From, out var amount, out var unit))
            return page.T["Shell.Past", Span(page, amount, unit)];
        return page.T["Shell.RangeFixed", Format.Duration(state.ToUnixNano - state.FromUnixNano).ToString()];
    }

    /// <summary>"30 min", "1 h", "7 days".</summary>
    public static string Span(PageContext page, string amount, char unit) => page.T["Shell.Unit." + unit, amount];

    /// <summary>A length in whole seconds, minutes or hours: "50 s", "5 min", "4 h".</summary>
    public static string Length(PageContext page, long nano)
    {
        var seconds = nano / 1e9;
        var (amount, unit) = seconds < 90 ? (seconds, 's') : seconds < 5400 ? (seconds / 60, 'm') : (seconds / 3600, 'h');
        return Span(page, Math.Round(amount).ToString(CultureInfo.InvariantCulture), unit);
    }

    public static string Absolute(PageContext page)
    {
        var from = Format.Local(page.State.FromUnixNano, page.Zone);
        var to = Format.Local(page.State.ToUnixNano, page.Zone);
        var today = Format.Local(page.NowUnixNano, page.Zone).Date;
        var pattern = from.Date == to.Date && to.Date == today ? "HH:mm" : "MM-dd HH:mm";
        var end = from.Date == to.Date && to.Date != today ? "HH:mm" : pattern;
        return $"{from.ToString(pattern, CultureInfo.InvariantCulture)} – {to.ToString(end, CultureInfo.InvariantCulture)} {page.ZoneLabel}";
    }
}
