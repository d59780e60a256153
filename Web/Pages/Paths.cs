namespace Apm.Web.Pages;

/// <summary>Where things have their page, and how their names are written.</summary>
internal static class Paths
{
    /// <summary>A service's page; a slash in its name stays one.</summary>
    public static string Service(PageContext page, string name) =>
        page.State.Link("/services/" + string.Join('/', name.Split('/').Select(Uri.EscapeDataString)));

    public static string Traces(PageContext page, params ReadOnlySpan<string> terms) => page.State.Link("/traces", ("q", FilterText.And(terms)));

    public static string ServiceTerm(string service) => FilterText.Equal("resource.service.name", service);

    /// <summary>"2.14.0" becomes "v2.14.0"; "canary-7" stays.</summary>
    public static string Version(string version) => version.Length > 0 && char.IsAsciiDigit(version[0]) ? "v" + version : version;

    /// <summary>telemetry.sdk.language as people write it.</summary>
    public static string LanguageName(string? language) => language switch
    {
        null => "",
        "dotnet" => ".NET",
        "nodejs" => "Node.js",
        "webjs" => "Browser",
        "cpp" => "C++",
        "php" => "PHP",
        { Length: > 0 } => char.ToUpperInvariant(language[0]) + language[1..],
        _ => "",
    };
}
