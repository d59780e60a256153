using System.Collections.Immutable;
using System.Globalization;

namespace Apm.Web;

/// <summary>A language of the UI. Numbers, times and units look the same in all of them (invariant culture).</summary>
/// <param name="Tag">BCP 47, as in the <c>lang</c> attribute and the cookie.</param>
/// <param name="Label">Its name in itself, for the switch.</param>
internal sealed record Language(string Tag, string Label)
{
    public const string CookieName = "apm-lang";

    public static readonly Language English = new("en", "EN");
    public static readonly Language Chinese = new("zh-Hans", "中文");
    public static readonly ImmutableArray<Language> All = [English, Chinese];

    public CultureInfo Culture { get; } = CultureInfo.GetCultureInfo(Tag);

    /// <summary>"en", "zh", "zh-CN", "zh-Hans"… to a language; null for one the UI does not speak.</summary>
    public static Language? Find(string? tag) =>
        string.IsNullOrEmpty(tag) ? null
        : tag.StartsWith("zh", StringComparison.OrdinalIgnoreCase) ? Chinese
        : tag.StartsWith("en", StringComparison.OrdinalIgnoreCase) ? English
        : null;

    /// <summary>The first language of an Accept-Language header that the UI speaks; browsers send them in order of preference.</summary>
    public static Language FromHeader(string? header)
    {
        foreach (var part in (header ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (Find(part.Split(';')[0]) is { } language)
                return language;
        }
        return English;
    }
}
