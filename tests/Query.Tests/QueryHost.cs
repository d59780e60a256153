using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Apm.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Apm.Query.Tests;

/// <summary>The Query role on a free loopback port, over stores in memory. Its clock stands at one minute after <see cref="Batches.Origin"/>.</summary>
internal sealed partial class QueryHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private QueryHost(WebApplication app, HeadSpanStore spans, HeadLogStore logs, FakeTimeProvider time)
    {
        _app = app;
        Spans = spans;
        Logs = logs;
        Time = time;
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HeadSpanStore Spans { get; }

    public HeadLogStore Logs { get; }

    public FakeTimeProvider Time { get; }

    public HttpClient Client { get; }

    public static async Task<QueryHost> StartAsync(Action<QueryOptions>? configure = null, StoreMonitor? monitor = null)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddTicks(Batches.At(60_000) / 100));
        var spans = new HeadSpanStore(time);
        var logs = new HeadLogStore(time);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSingleton<ISpanStore>(spans);
        builder.Services.AddSingleton<ILogStore>(logs);
        if (monitor is not null)
        {
            builder.Services.AddSingleton(monitor);
        }
        builder.Services.AddQuery();
        if (configure is not null)
        {
            builder.Services.Configure(configure);
        }
        var app = builder.Build();
        app.MapQueryApi();
        app.MapOpenApi();
        await app.StartAsync();
        return new QueryHost(app, spans, logs, time);
    }

    public async Task<(HttpStatusCode Status, string Type, string Body)> GetAsync(string path)
    {
        using var response = await Client.GetAsync(path);
        return (response.StatusCode, response.Content.Headers.ContentType?.MediaType ?? "", await response.Content.ReadAsStringAsync());
    }

    public async Task<JsonNode> GetJsonAsync(string path)
    {
        var (status, type, body) = await GetAsync(path);
        Assert.True(status == HttpStatusCode.OK, $"{path}: {status} {body}");
        Assert.Equal("application/json", type);
        return JsonNode.Parse(body)!;
    }

    /// <summary>The answer indented, the scan's counters left out: golden text.</summary>
    public async Task<string> GetTextAsync(string path)
    {
        var json = await GetJsonAsync(path);
        if (json is JsonObject answer && answer["scan"] is JsonObject scan)
        {
            Assert.True(scan["complete"]!.GetValue<bool>());
            Assert.Equal(10, scan.Count);
            answer.Remove("scan");
        }
        return Compact(json);
    }

    public async Task<T> GetStrictAsync<T>(string path) => JsonSerializer.Deserialize<T>((await GetJsonAsync(path)).ToJsonString(), s_strict)!;

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    private static readonly JsonSerializerOptions s_strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
    };

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Indented, with arrays and objects of plain values on one line.</summary>
    private static string Compact(JsonNode json)
    {
        var text = json.ToJsonString(s_indented);
        return Leaves().Replace(text, match => Spaces().Replace(match.Value, " "));
    }

    [GeneratedRegex(@"[\[{][^\[\]{}]*[\]}]")]
    private static partial Regex Leaves();

    [GeneratedRegex(@"\n\s*")]
    private static partial Regex Spaces();
}
