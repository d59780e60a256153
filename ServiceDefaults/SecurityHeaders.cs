using Microsoft.AspNetCore.Builder;

namespace Apm.ServiceDefaults;

/// <summary>Headers that keep a browser from running or framing what is not ours. Style attributes are allowed, as charts and bars set widths; scripts only from our own files.</summary>
internal static class SecurityHeaders
{
    private const string ContentSecurityPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; "
        + "connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    public static void Use(IApplicationBuilder app) => app.Use((context, next) =>
    {
        // OTLP's senders are not browsers' pages, and half a kilobyte of headers on each small answer is theirs to pay.
        if (context.Request.Path.StartsWithSegments("/v1", StringComparison.Ordinal))
        {
            return next(context);
        }
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        return next(context);
    });
}
