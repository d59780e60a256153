using System.Text;
using Microsoft.AspNetCore.Http;

namespace Apm.Web;

/// <summary>
/// What a URL says about a page: range, filter, environment, refresh. The range is resolved once per request, so all queries of a page see the same span of time.
/// </summary>
internal sealed record PageState
{
    public const string DefaultFrom = "now-30m";
    public const string DefaultTo = "now";
    public const string EnvironmentField = "resource.deployment.environment.name";

    /// <summary>Parameters that go with the reader from page to page.</summary>
    private static readonly string[] Carried = ["from", "to", "env", "refresh"];

    private PageState(string path, IReadOnlyDictionary<string, string> values) => (Path, Values) = (path, values);

    public string Path { get; }

    /// <summary>The query string, first value of each key.</summary>
    public IReadOnlyDictionary<string, string> Values { get; }

    public string From { get; private init; } = DefaultFrom;

    public string To { get; private init; } = DefaultTo;

    public long FromUnixNano { get; private init; }

    public long ToUnixNano { get; private init; }

    /// <summary>The range of the URL could not be read; the default stands in and the page says so.</summary>
    public bool RangeIsWrong { get; private init; }

    /// <summary>The filter bar's text.</summary>
    public string Filter => Values.GetValueOrDefault("q", "");

    public string Environment => Values.GetValueOrDefault("env", "");

    /// <summary>"5s", "10s", "30s", "1m" or "" for off.</summary>
    public string Refresh => Values.GetValueOrDefault("refresh", "") is "5s" or "10s" or "30s" or "1m" ? Values["refresh"] : "";

    /// <summary>The filter bar and the environment together, as sent to the API.</summary>
    public string EffectiveFilter => FilterText.And(Environment.Length == 0 ? "" : FilterText.Equal(EnvironmentField, Environment), Filter);

    public bool IsRelative => TimeExpression.IsRelative(To);

    public static PageState Read(HttpRequest request, DateTimeOffset now)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in request.Query)
        {
            if (value.Count > 0 && !string.IsNullOrEmpty(value[0]))
                values[key] = value[0]!;
        }
        var from = values.GetValueOrDefault("from", DefaultFrom);
        var to = values.GetValueOrDefault("to", DefaultTo);
        var right = TimeExpression.TryParse(from, now, out var fromNano) & TimeExpression.TryParse(to, now, out var toNano) && fromNano < toNano;
        if (!right)
        {
            (from, to) = (DefaultFrom, DefaultTo);
            TimeExpression.TryParse(from, now, out fromNano);
            TimeExpression.TryParse(to, now, out toNano);
        }
        return new PageState(request.Path.Value is { Length: > 0 } path ? path : "/", values)
        {
            From = from,
            To = to,
            FromUnixNano = fromNano,
            ToUnixNano = toNano,
            RangeIsWrong = !right,
        };
    }

    /// <summary>A link to another page that keeps range, environment and refresh. A null value leaves a parameter out.</summary>
    public string Link(string path, params ReadOnlySpan<(string Key, string? Value)> changes) => Build(path, Carried, changes);

    /// <summary>A link to this page with all its parameters but the changed ones. Paging starts over.</summary>
    public string With(params ReadOnlySpan<(string Key, string? Value)> changes) => Build(Path, Values.Keys.Where(key => key is not ("cursor" or "lang")), changes);

    /// <summary>This page with its relative times frozen.</summary>
    public string Frozen() => With(("from", TimeExpression.ToText(FromUnixNano)), ("to", TimeExpression.ToText(ToUnixNano)), ("refresh", null));

    private string Build(string path, IEnumerable<string> keys, ReadOnlySpan<(string Key, string? Value)> changes)
    {
        var merged = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var key in keys)
            merged[key] = Values.GetValueOrDefault(key);
        foreach (var (key, value) in changes)
            merged[key] = value;
        var text = new StringBuilder(path);
        var separator = path.Contains('?') ? '&' : '?';
        foreach (var (key, value) in merged)
        {
            if (string.IsNullOrEmpty(value))
                continue;
            text.Append(separator).Append(key).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }
        return text.ToString();
    }
}
