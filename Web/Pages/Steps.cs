using System.Globalization;

namespace Apm.Web.Pages;

/// <summary>Steps of series that read well on a clock.</summary>
internal static class Steps
{
    private static readonly int[] Seconds = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

    /// <summary>The step that cuts the range into at most so many points, as the API reads it: "15s".</summary>
    public static string For(PageState state, int points) => SecondsFor(state, points).ToString(CultureInfo.InvariantCulture) + "s";

    public static int SecondsFor(PageState state, int points)
    {
        var seconds = (state.ToUnixNano - state.FromUnixNano) / 1e9;
        foreach (var step in Seconds)
        {
            if (seconds / step <= points)
                return step;
        }
        return (int)Math.Ceiling(seconds / points / 86400) * 86400;
    }
}
