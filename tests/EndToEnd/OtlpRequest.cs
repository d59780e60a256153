using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Apm.TestKit.Processes;

namespace Apm.EndToEnd;

/// <summary>OTLP/JSON requests as tests write them: spans are objects without ids' and times' usual values, which are filled in.</summary>
internal static class OtlpRequest
{
    private static int s_last;

    /// <summary>A new id, like no other's in this run.</summary>
    public static string NewId(int digits)
    {
        var id = Guid.NewGuid().ToString("N");
        return string.Concat(Interlocked.Increment(ref s_last).ToString("x8", CultureInfo.InvariantCulture), id)[..digits];
    }

    /// <param name="fields">Further fields of the span, as JSON after a comma; a field given here wins.</param>
    public static string Span(string traceId, string fields = "", string? spanId = null)
    {
        var now = (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks * 100;
        var span = JsonNode.Parse(string.Create(CultureInfo.InvariantCulture, $$"""{"traceId":"{{traceId}}","spanId":"{{spanId ?? NewId(16)}}","name":"op","kind":2,"startTimeUnixNano":"{{now}}","endTimeUnixNano":"{{now + 1_000_000}}"}"""))!.AsObject();
        if (fields.Length > 0)
        {
            foreach (var (key, value) in JsonNode.Parse($"{{{fields}}}", documentOptions: new() { MaxDepth = 10_000 })!.AsObject().ToArray())
            {
                span[key] = value?.DeepClone();
            }
        }
        return span.ToJsonString(new() { MaxDepth = 10_000 });
    }

    public static string Of(params string[] spans) =>
        $$$"""{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"bad-input"}}]},"scopeSpans":[{"spans":[{{{string.Join(',', spans)}}}]}]}]}""";

    public static Task<(HttpStatusCode Status, string Body)> SendAsync(StandaloneProcess standalone, string json) => SendAsync(standalone, Encoding.UTF8.GetBytes(json), "application/json");

    public static async Task<(HttpStatusCode Status, string Body)> SendAsync(StandaloneProcess standalone, byte[] body, string type, string? encoding = null)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        if (encoding is not null)
        {
            content.Headers.ContentEncoding.Add(encoding);
        }
        using var response = await standalone.Client.PostAsync("v1/traces", content);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public static byte[] Gzip(Action<Stream> write)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            write(gzip);
        }
        return compressed.ToArray();
    }
}
