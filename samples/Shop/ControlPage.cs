using System.Net;
using System.Text;

namespace Apm.Shop;

/// <summary>The shop's own page, and the same over HTTP: <c>GET /faults</c>, <c>PUT /faults/{name}</c>, <c>DELETE /faults/{name}</c>.</summary>
internal static class ControlPage
{
    public static void Map(WebApplication app, Func<IReadOnlySet<string>> on, Func<string, bool, Task> switchFault)
    {
        app.MapGet("/faults", () => Faults.All.Select(fault => new { name = fault.Name, title = fault.Title, effect = fault.Effect, on = on().Contains(fault.Name) }));
        app.MapPut("/faults/{name}", (string name) => SwitchAsync(name, true));
        app.MapDelete("/faults/{name}", (string name) => SwitchAsync(name, false));
        app.MapGet("/", () => Results.Content(Render(on()), "text/html; charset=utf-8"));
        app.MapPost("/switch/{name}/{state}", async (string name, string state, HttpContext context) =>
        {
            // A page of another site must not be able to press these buttons.
            if (context.Request.Headers.TryGetValue("Sec-Fetch-Site", out var site) && site != "same-origin")
            {
                return Results.StatusCode(StatusCodes.Status403Forbidden);
            }
            var result = await SwitchAsync(name, state == "on");
            return result is IStatusCodeHttpResult { StatusCode: StatusCodes.Status404NotFound } ? result : Results.Redirect("/");
        });

        async Task<IResult> SwitchAsync(string name, bool state)
        {
            if (Faults.All.All(fault => fault.Name != name))
            {
                return Results.Problem($"There is no fault '{name}'. There are: {string.Join(", ", Faults.All.Select(fault => fault.Name))}.", statusCode: StatusCodes.Status404NotFound);
            }
            await switchFault(name, state);
            return Results.NoContent();
        }
    }

    private static string Render(IReadOnlySet<string> on)
    {
        var html = new StringBuilder("""
            <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shop faults</title><style>
            :root{color-scheme:dark}body{background:#0d1117;color:#e4e9f0;font:14px/20px system-ui,sans-serif;max-width:760px;margin:40px auto;padding:0 16px}
            h1{font-size:18px}p{color:#aab4c2}form{display:flex;gap:16px;align-items:center;border:1px solid #222a35;border-radius:8px;background:#12171f;padding:16px;margin:12px 0}
            form div{flex:1}b{display:block}small{color:#8a95a5;font-size:13px}button{font:inherit;border:1px solid #333d4b;border-radius:6px;background:#1f2631;color:#e4e9f0;padding:6px 14px;cursor:pointer;white-space:nowrap}
            .on{border-color:#6b2b2b}.on b::after{content:" · on";color:#ff8f84}button:focus-visible{outline:2px solid #8ab0ff;outline-offset:2px}
            </style></head><body><h1>What may go wrong in the shop</h1><p>Switch a fault on and find it in Apm. The same over HTTP: <code>PUT</code> and <code>DELETE /faults/{name}</code>.</p>
            """);
        foreach (var (name, title, effect) in Faults.All)
        {
            var isOn = on.Contains(name);
            html.Append($"<form method=\"post\" action=\"/switch/{name}/{(isOn ? "off" : "on")}\" class=\"{(isOn ? "on" : "off")}\"><div><b>{WebUtility.HtmlEncode(title)}</b><small>{WebUtility.HtmlEncode(effect)}</small></div>")
                .Append($"<button>{(isOn ? "Switch off" : "Switch on")}</button></form>");
        }
        return html.Append("</body></html>").ToString();
    }
}
