using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;

namespace Apm.Web;

/// <summary>
/// The pages have no form that changes anything, so a token would protect nothing; Blazor would still set a cookie with one on every streamed page, and
/// keep keys on disk for it.
/// </summary>
internal sealed class NoAntiforgery : IAntiforgery
{
    private static readonly AntiforgeryTokenSet None = new(null, null, "__RequestVerificationToken", null);

    public AntiforgeryTokenSet GetAndStoreTokens(HttpContext httpContext) => None;

    public AntiforgeryTokenSet GetTokens(HttpContext httpContext) => None;

    public Task<bool> IsRequestValidAsync(HttpContext httpContext) => Task.FromResult(true);

    public Task ValidateRequestAsync(HttpContext httpContext) => Task.CompletedTask;

    public void SetCookieTokenAndHeader(HttpContext httpContext)
    {
    }
}
