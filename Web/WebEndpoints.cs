using Apm.Web.Api;
using Apm.Web.Controls;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Apm.Web;

/// <summary>The UI in a host: <c>services.AddWeb()</c>, then <c>app.MapWeb()</c> after the API's endpoints. Needs no middleware of the host.</summary>
public static class WebEndpoints
{
    /// <summary>Prefixes of APIs: an unknown path below one is answered with a problem document, not with a page.</summary>
    private static readonly string[] ApiPrefixes = ["/api", "/v1", "/jaeger", "/zipkin", "/tempo", "/prometheus", "/butterfly", "/openapi", "/health", "/assets"];

    public static IServiceCollection AddWeb(this IServiceCollection services, Action<WebOptions>? configure = null)
    {
        services.AddOptions<WebOptions>()
            .BindConfiguration("Web")
            .Validate(options => options.QueryAddress is null or { IsAbsoluteUri: true, Scheme: "http" or "https" },
                "Web:QueryAddress is not an absolute http or https address, such as http://127.0.0.1:9620.")
            .Validate(options => options.QueryTimeout > TimeSpan.Zero && options.QueryTimeout <= TimeSpan.FromHours(1),
                "Web:QueryTimeout is not between 1 tick and 1 hour, such as 00:00:35.")
            .ValidateOnStart();
        if (configure is not null)
            services.Configure(configure);
        services.AddRazorComponents();
        services.RemoveAll<IAntiforgery>();
        services.AddSingleton<IAntiforgery, NoAntiforgery>();
        services.AddHttpContextAccessor();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<TextCatalog>();
        services.AddSingleton<Assets>();
        services.AddSingleton<ServiceColors>();
        services.AddSingleton<QueryAddress>();
        services.AddScoped<PageContext>();
        services.AddHttpClient<QueryClient>((provider, client) =>
        {
            client.BaseAddress = provider.GetRequiredService<QueryAddress>().Resolve();
            client.Timeout = provider.GetRequiredService<IOptions<WebOptions>>().Value.QueryTimeout;
        });
        return services;
    }

    public static IEndpointRouteBuilder MapWeb(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapMethods("/assets/{fingerprint}/{**path}", [HttpMethods.Get, HttpMethods.Head],
            (HttpContext context, string fingerprint, string path, Assets assets) => assets.ServeAsync(context, fingerprint, path)).ExcludeFromDescription();
        endpoints.MapGet("/favicon.ico", (Assets assets) => Results.Redirect(assets.Url("favicon.svg"))).ExcludeFromDescription();
        endpoints.MapRazorComponents<Document>().DisableAntiforgery();
        endpoints.MapFallback("{**path}", NotFound).ExcludeFromDescription();
        return endpoints;
    }

    private static IResult NotFound(HttpContext context)
    {
        var path = context.Request.Path;
        var isApi = !HttpMethods.IsGet(context.Request.Method) || Array.Exists(ApiPrefixes, prefix => path.StartsWithSegments(prefix, StringComparison.Ordinal));
        return isApi
            ? Results.Problem(new ProblemDetails { Status = StatusCodes.Status404NotFound, Title = "Not found", Detail = $"Nothing answers {context.Request.Method} {path}." })
            : new RazorComponentResult<NotFoundDocument> { StatusCode = StatusCodes.Status404NotFound, PreventStreamingRendering = true };
    }
}
