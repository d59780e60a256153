using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Apm.TestKit.Processes;

namespace Apm.EndToEnd;

/// <summary>Bad input gets a clear answer and harms nothing beside it: a good span sent with it, or after it, is found.</summary>
public sealed partial class BadInputTests(StandaloneFixture fixture)
{
    /// <summary>A minute ago: what retention keeps. <c>@5</c> in a test's data is 5 ns after it.</summary>
    private static readonly long s_baseUnixNano = (DateTimeOffset.UtcNow - TimeSpan.FromMinutes(1) - DateTimeOffset.UnixEpoch).Ticks * 100;

    private const string Times1970 = "\"startTimeUnixNano\":\"1\",\"endTimeUnixNano\":\"1000001\"";
    private const string Times2099 = "\"startTimeUnixNano\":\"4070908800000000000\",\"endTimeUnixNano\":\"4070908800000000001\"";

    private StandaloneProcess Standalone => fixture.Process;

    /// <summary>What makes a span wrong, by name, and a word of the answer.</summary>
    private static readonly Dictionary<string, (Func<string> Fields, string Says)> s_rejected = new()
    {
        ["trace id of 15 bytes"] = (() => "\"traceId\":\"000102030405060708090a0b0c0d0e\"", "trace"),
        ["trace id of no bytes"] = (() => "\"traceId\":\"\"", "trace"),
        ["trace id not hexadecimal"] = (() => "\"traceId\":\"zz0102030405060708090a0b0c0d0e0f\"", "trace"),
        ["trace id all zero"] = (() => "\"traceId\":\"00000000000000000000000000000000\"", "trace"),
        ["span id of 9 bytes"] = (() => "\"spanId\":\"000102030405060708\"", "span"),
        ["span id all zero"] = (() => "\"spanId\":\"0000000000000000\"", "span"),
        ["parent id of 3 bytes"] = (() => "\"parentSpanId\":\"010203\"", "parent"),
        ["10,000 attributes"] = (() => Attributes(10_000, i => $$$"""{"key":"k{{{i}}}","value":{"intValue":"{{{i}}}"}}"""), "attributes"),
        ["attribute of 5 MB"] = (() => Attributes(1, _ => $$$"""{"key":"big","value":{"stringValue":"{{{new string('x', 5 << 20)}}}"}}"""), "bytes"),
        ["name of 1 MB"] = (() => $"\"name\":\"{new string('n', 1 << 20)}\"", "name"),
        ["kvlists 1,000 deep"] = (() => Attributes(1, _ => $$"""{"key":"deep","value":{{Nested(1000)}}}"""), "deep"),
    };

    public static TheoryData<string> RejectedNames => [.. s_rejected.Keys];

    [Theory]
    [MemberData(nameof(RejectedNames))]
    public async Task Span_OutOfBounds_IsCountedAloneAndTheGoodOneIsStored(string what)
    {
        var (fields, says) = s_rejected[what];
        string good = OtlpRequest.NewId(32), bad = OtlpRequest.NewId(32);
        var (status, body) = await OtlpRequest.SendAsync(Standalone, OtlpRequest.Of(OtlpRequest.Span(good), OtlpRequest.Span(bad, fields()), OtlpRequest.Span(good)));
        Assert.Equal(HttpStatusCode.OK, status);
        var partial = JsonNode.Parse(body)!["partialSuccess"];
        Assert.True(partial is not null, body);
        Assert.Equal("1", partial["rejectedSpans"]!.GetValue<string>());
        Assert.Contains(says, partial["errorMessage"]!.GetValue<string>(), StringComparison.OrdinalIgnoreCase);
        Assert.InRange(body.Length, 1, 4096);
        Assert.Equal(2, await SpansAsync(good, 2));
        using var absent = await Standalone.Client.GetAsync($"api/v1/traces/{bad}");
        Assert.Equal(HttpStatusCode.NotFound, absent.StatusCode);
    }

    [Theory]
    [InlineData("\"startTimeUnixNano\":\"@2000000000\",\"endTimeUnixNano\":\"@1000000000\"", "durationNano", "0")]
    [InlineData("\"spanId\":\"00000000000000aa\",\"parentSpanId\":\"00000000000000aa\"", "parentSpanId", "null")]
    [InlineData(Times1970, "startUnixNano", "\"1\"")]
    [InlineData(Times2099, "startUnixNano", "\"4070908800000000000\"")]
    [InlineData("\"startTimeUnixNano\":@1,\"endTimeUnixNano\":@3", "startUnixNano", "\"@1\"")]
    [InlineData("\"attributes\":[{\"key\":\"n\",\"value\":{\"intValue\":5}},{\"key\":\"m\",\"value\":{\"intValue\":\"-6\"}}]", "attributes", "{\"n\":5,\"m\":-6}")]
    [InlineData("\"attributes\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"first\"}},{\"key\":\"a\",\"value\":{\"stringValue\":\"last\"}}]", "attributes", "{\"a\":\"last\"}")]
    [InlineData("\"surprise\":{\"deep\":[1,{\"traceId\":\"zz\"}]},\"name\":\"known\"", "name", "\"known\"")]
    [InlineData("\"spanId\":\"00000000000000AB\"", "spanId", "\"00000000000000ab\"")]
    public async Task Span_OddButMeaningful_IsStoredAndReadBack(string fields, string property, string expected)
    {
        string good = OtlpRequest.NewId(32), odd = OtlpRequest.NewId(32);
        var (status, body) = await OtlpRequest.SendAsync(Standalone, OtlpRequest.Of(OtlpRequest.Span(good), OtlpRequest.Span(odd, At(fields))));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Null(JsonNode.Parse(body)!["partialSuccess"]?["rejectedSpans"]);
        Assert.Equal(1, await SpansAsync(good, 1));
        Assert.Equal(1, await SpansAsync(odd, 1));
        var trace = JsonNode.Parse(await Standalone.Client.GetStringAsync($"api/v1/traces/{odd}"))!;
        Assert.Equal(At(expected), trace["spans"]![0]![property]?.ToJsonString() ?? "null");
        using var jaeger = await Standalone.Client.GetAsync($"jaeger/api/traces/{odd}");
        Assert.Equal(HttpStatusCode.OK, jaeger.StatusCode);
    }

    [Fact]
    public async Task TraceId_InUpperCase_IsTheSameTrace()
    {
        var id = "abcdef" + OtlpRequest.NewId(26);
        await OtlpRequest.SendAsync(Standalone, OtlpRequest.Of(OtlpRequest.Span(id), OtlpRequest.Span(id.ToUpperInvariant())));
        Assert.Equal(2, await SpansAsync(id, 2));
        Assert.Equal(2, await SpansAsync(id.ToUpperInvariant(), 2));
    }

    [Theory]
    [InlineData("api/v1/traces/")]
    [InlineData("jaeger/api/traces/")]
    [InlineData("jaeger/api/v3/traces/")]
    public async Task ParentCycle_IsStoredAndShown(string prefix)
    {
        var id = OtlpRequest.NewId(32);
        var (status, _) = await OtlpRequest.SendAsync(Standalone, OtlpRequest.Of(
            OtlpRequest.Span(id, "\"parentSpanId\":\"00000000000000b2\"", "00000000000000b1"), OtlpRequest.Span(id, "\"parentSpanId\":\"00000000000000b1\"", "00000000000000b2")));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(2, await SpansAsync(id, 2));
        foreach (var path in new[] { $"{prefix}{id}", $"api/v1/traces/{id}/outline" })
        {
            using var answer = await Standalone.Client.GetAsync(path);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
        Assert.Contains(id, await Standalone.Client.GetStringAsync("api/v1/traces?q=" + Uri.EscapeDataString("{ resource.service.name = \"bad-input\" }") + "&limit=1000"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json", null, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[", 400)]
    [InlineData("application/json", null, "nonsense", 400)]
    [InlineData("application/json", null, "[]", 400)]
    [InlineData("application/x-protobuf", null, "\n\u0005abc", 400)]
    [InlineData("application/x-protobuf", null, "{\"resourceSpans\":[]}", 400)]
    [InlineData("application/json", "gzip", "{}", 400)]
    [InlineData("text/plain", null, "{}", 415)]
    [InlineData("application/json", "br", "{}", 415)]
    [InlineData("application/json", null, "{}", 200)]
    [InlineData("application/x-protobuf", null, "", 200)]
    public async Task Request_WrongOrEmpty_IsAnsweredAndTheNextOneIsTaken(string type, string? encoding, string body, int expected)
    {
        var (status, _) = await OtlpRequest.SendAsync(Standalone, Encoding.UTF8.GetBytes(body), type, encoding);
        Assert.Equal((HttpStatusCode)expected, status);
        await TakesTheNextAsync();
    }

    [Fact]
    public async Task Request_OverTheLimitOnTheWire_Is413()
    {
        var (status, _) = await OtlpRequest.SendAsync(Standalone, new byte[(20 << 20) + 1], "application/x-protobuf");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        await TakesTheNextAsync();
    }

    [Fact]
    public async Task GzipBombs_SeveralAtOnce_Are413OrTriedLaterAndMemoryStaysBounded()
    {
        const int megabytes = 256;
        var block = new byte[1 << 20];
        var bomb = OtlpRequest.Gzip(stream =>
        {
            for (var i = 0; i < megabytes; i++)
            {
                stream.Write(block);
            }
        });
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => OtlpRequest.SendAsync(Standalone, bomb, "application/x-protobuf", "gzip")));
        Assert.All(answers, answer => Assert.True(answer.Status is HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.TooManyRequests, $"answered {answer.Status}"));
        Assert.Contains(answers, answer => answer.Status == HttpStatusCode.RequestEntityTooLarge);
        await TakesTheNextAsync();
        // 8 × 256 MiB if they were unpacked; the product holds 256 MiB of requests at most, beside itself.
        Assert.InRange(PeakMegabytes(), 1, 1024);
    }

    [Fact]
    public async Task InvalidUtf8_InAName_IsStoredWithTheReplacementCharacter()
    {
        var id = OtlpRequest.NewId(32);
        using var writer = new Telemetry.Otlp.ProtobufWriter();
        var resourceSpans = writer.BeginMessage(1);
        var scopeSpans = writer.BeginMessage(2);
        var span = writer.BeginMessage(2);
        writer.WriteBytes(1, Convert.FromHexString(id));
        writer.WriteBytes(2, [0, 0, 0, 0, 0, 0, 0, 1]);
        writer.WriteBytes(5, [(byte)'a', 0xff, (byte)'b']);
        writer.WriteFixed64(7, (ulong)s_baseUnixNano);
        writer.WriteFixed64(8, (ulong)s_baseUnixNano + 1);
        writer.EndMessage(span);
        writer.EndMessage(scopeSpans);
        writer.EndMessage(resourceSpans);
        var (status, _) = await OtlpRequest.SendAsync(Standalone, writer.Written.ToArray(), "application/x-protobuf");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(1, await SpansAsync(id, 1));
        var trace = JsonNode.Parse(await Standalone.Client.GetStringAsync($"api/v1/traces/{id}"))!;
        Assert.Equal("a\ufffdb", trace["spans"]![0]!["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task Filter_Of100KB_IsRefusedAndTheNextQueryAnswered()
    {
        using var answer = await Standalone.Client.GetAsync("api/v1/traces?q=" + string.Join("%7C%7C", Enumerable.Repeat("name=%22a%22", 9_000)));
        Assert.True(answer.StatusCode is HttpStatusCode.RequestUriTooLong or HttpStatusCode.BadRequest, $"answered {answer.StatusCode}");
        await TakesTheNextAsync();
    }

    private static string At(string text) => Offset().Replace(text, match => (s_baseUnixNano + long.Parse(match.ValueSpan[1..], CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture));

    [GeneratedRegex(@"@\d+")]
    private static partial Regex Offset();

    private static string Attributes(int count, Func<int, string> attribute) => $"\"attributes\":[{string.Join(',', Enumerable.Range(0, count).Select(attribute))}]";

    private static string Nested(int depth)
    {
        var text = new StringBuilder();
        for (var i = 0; i < depth; i++)
        {
            text.Append("{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":");
        }
        text.Append("{\"boolValue\":true}");
        for (var i = 0; i < depth; i++)
        {
            text.Append("}]}}");
        }
        return text.ToString();
    }

    private async Task TakesTheNextAsync()
    {
        var id = OtlpRequest.NewId(32);
        var (status, body) = await OtlpRequest.SendAsync(Standalone, OtlpRequest.Of(OtlpRequest.Span(id)));
        Assert.True(status == HttpStatusCode.OK, body);
        Assert.Equal(1, await SpansAsync(id, 1));
    }

    /// <summary>Spans of the trace, once there are as many as expected or the time is up.</summary>
    private Task<int> SpansAsync(string traceId, int expected) => Standalone.EventuallyAsync(async client =>
    {
        using var response = await client.GetAsync($"api/v1/traces/{traceId}");
        return response.IsSuccessStatusCode ? JsonNode.Parse(await response.Content.ReadAsStringAsync())!["spanCount"]!.GetValue<int>() : 0;
    }, count => count >= expected);

    /// <summary>The most memory the process has held.</summary>
    private int PeakMegabytes()
    {
        var line = File.ReadLines($"/proc/{Standalone.ProcessId}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return int.Parse(line["VmHWM:".Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) / 1024;
    }
}
