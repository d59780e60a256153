namespace Apm.Web.Pages;

/// <summary>The period the present one is compared with, as the URL parameter <c>vs</c> says.</summary>
internal sealed record Comparing(string Key, long ShiftNano)
{
    private const long DayNano = 86_400_000_000_000;

    public static Comparing Of(PageState state) => state.Values.GetValueOrDefault("vs") switch
    {
        "day" => new("day", DayNano),
        "week" => new("week", 7 * DayNano),
        _ => new("period", state.ToUnixNano - state.FromUnixNano),
    };

    public Api.ApiParameters Range(PageState state) =>
        new Api.ApiParameters().Add("from", state.FromUnixNano - ShiftNano).Add("to", state.ToUnixNano - ShiftNano);
}
