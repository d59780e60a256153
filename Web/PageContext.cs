using System.Globalization;
using System.Text.Json;
using Apm.Web.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Apm.Web;

/// <summary>What every part of a page needs of its request: state of the URL, language, theme, time zone. One per request; read only.</summary>
internal sealed class PageContext
{
    public const string ThemeCookie = "apm-theme";
    public const string ZoneCookie = "apm-zone";
    public const string RailCookie = "apm-rail";

    /// <summary>Where OpenTelemetry's exporters send by default.</summary>
    private const int DefaultOtlpGrpcPort = 4317, DefaultOtlpHttpPort = 4318;

    private readonly Assets _assets;
    private readonly WebOptions _options;

    public PageContext(IHttpContextAccessor accessor, TimeProvider time, TextCatalog texts, Assets assets, ServiceColors colors, IOptions<WebOptions> options)
    {
        Http = accessor.HttpContext ?? throw new InvalidOperationException("A page is rendered for an HTTP request only.");
        _assets = assets;
        Colors = colors;
        var request = Http.Request;
        Now = time.GetUtcNow();
        State = PageState.Read(request, Now);
        Language = Language.Find(request.Query["lang"]) ?? Language.Find(request.Cookies[Language.CookieName]) ?? Language.FromHeader(request.Headers.AcceptLanguage);
        T = new Texts(texts.Texts(Language));
        var theme = request.Query["theme"].ToString() is { Length: > 0 } asked ? asked : request.Cookies[ThemeCookie];
        Theme = theme == "light" ? "light" : "dark";
        Zone = request.Cookies[ZoneCookie] is { Length: > 0 } id && TimeZoneInfo.TryFindSystemTimeZoneById(Uri.UnescapeDataString(id), out var zone) ? zone : TimeZoneInfo.Utc;
        RailIsNarrow = request.Cookies[RailCookie] == "narrow";
        _options = options.Value;
    }

    public HttpContext Http { get; }

    public DateTimeOffset Now { get; }

    public long NowUnixNano => TimeExpression.ToUnixNano(Now);

    public PageState State { get; }

    public Language Language { get; }

    public Texts T { get; }

    /// <summary>"dark" or "light".</summary>
    public string Theme { get; }

    /// <summary>UTC unless the reader chose local time, which the browser names in a cookie.</summary>
    public TimeZoneInfo Zone { get; }

    public string ZoneLabel => Zone == TimeZoneInfo.Utc ? "UTC" : T["Shell.LocalTime"];

    public bool RailIsNarrow { get; }

    public ServiceColors Colors { get; }

    /// <summary>The address of OTLP/HTTP as a sender would write it.</summary>
    /// <param name="port">Of the open receiver; null where that is not known.</param>
    public string OtlpHttpEndpoint(int? port) => _options.OtlpHttpEndpoint ?? Endpoint(port ?? DefaultOtlpHttpPort);

    /// <summary>The same for OTLP/gRPC.</summary>
    public string OtlpGrpcEndpoint(int? port) => _options.OtlpGrpcEndpoint ?? Endpoint(port ?? DefaultOtlpGrpcPort);

    public string Asset(string path) => _assets.Url(path);

    /// <summary>The parameters every query of the page sends.</summary>
    public ApiParameters Range() => new ApiParameters().Add("from", State.FromUnixNano).Add("to", State.ToUnixNano);

    /// <summary>"3 min ago", "2 days ago"; the past only.</summary>
    public string Ago(long unixNano)
    {
        var seconds = Math.Max(0, (NowUnixNano - unixNano) / 1_000_000_000);
        return seconds switch
        {
            < 60 => T["Shell.AgoNow"],
            < 3600 => T.Count("Shell.AgoMinutes", seconds / 60),
            < 86400 => T.Count("Shell.AgoHours", seconds / 3600),
            _ => T.Count("Shell.AgoDays", seconds / 86400),
        };
    }

    private string Endpoint(int port) => string.Create(CultureInfo.InvariantCulture, $"http://{Http.Request.Host.Host}:{port}");

    /// <summary>What the modules of the page are given; see README.md.</summary>
    public string StateJson() => JsonSerializer.Serialize(new
    {
        path = State.Path,
        from = State.From,
        to = State.To,
        fromUnixNano = State.FromUnixNano.ToString(CultureInfo.InvariantCulture),
        toUnixNano = State.ToUnixNano.ToString(CultureInfo.InvariantCulture),
        q = State.Filter,
        env = State.Environment,
        filter = State.EffectiveFilter,
        refresh = State.Refresh,
        relative = State.IsRelative,
        zone = Zone.Id,
        lang = Language.Tag,
        theme = Theme,
        colors = Colors.Assigned,
    });
}
