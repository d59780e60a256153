using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Apm.Query.Logs;
using Apm.Query.Traces;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Query.Tests.Api;

public sealed class EndpointTests
{
    [Fact]
    public async Task Services_Shop_HaveTheirRedVersionsAndPeers()
    {
        await using var host = await Shop.StartAsync();
        var answer = await host.GetJsonAsync($"/api/v1/services?{Shop.Range}&step=10s");
        var services = answer["services"]!.AsArray().ToDictionary(service => service!["name"]!.GetValue<string>());
        Assert.Equal(["payments", "storefront"], services.Keys.Order());
        var payments = services["payments"]!;
        Assert.Equal((10, 1), (payments["count"]!.GetValue<long>(), payments["errors"]!.GetValue<long>()));
        Assert.Equal(0.1, payments["errorRate"]!.GetValue<double>());
        Assert.Equal(0.166667, payments["rate"]!.GetValue<double>());
        Assert.Equal(("2.0", "1.0", "dotnet", 2), (payments["version"]!.GetValue<string>(), payments["previousVersion"]!.GetValue<string>(), payments["language"]!.GetValue<string>(), payments["instances"]!.GetValue<int>()));
        Assert.Equal((Batches.Origin + 25_000_000_000).ToString(System.Globalization.CultureInfo.InvariantCulture), payments["versionChangedUnixNano"]!.GetValue<string>());
        Assert.InRange(payments["apdex"]!.GetValue<double>(), 0.9, 0.951);
        Assert.Equal("[2,2,2,2,2,0]", payments["series"]!["count"]!.ToJsonString());
        Assert.Equal("[0,0,0,1,0,0]", payments["series"]!["errors"]!.ToJsonString());
        Assert.Null(payments["series"]!["p95Nano"]![5]);
        Assert.InRange(payments["p50Nano"]!.GetValue<long>(), 45_000_000, 56_000_000);
        var peers = answer["peers"]!.AsArray().ToDictionary(peer => peer!["name"]!.GetValue<string>());
        Assert.Equal(("external", "[\"payments\"]", 10), (peers["bank API"]!["type"]!.GetValue<string>(), peers["bank API"]!["callers"]!.ToJsonString(), peers["bank API"]!["count"]!.GetValue<int>()));
        Assert.Equal(("database", "sqlite", "SELECT carts"), (peers["carts"]!["type"]!.GetValue<string>(), peers["carts"]!["system"]!.GetValue<string>(), peers["carts"]!["operation"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Operations_OfOneService_MostTimeFirst()
    {
        await using var host = await Shop.StartAsync();
        var answer = await host.GetJsonAsync($"/api/v1/operations?service=payments&{Shop.Range}");
        Assert.Equal(["charge server 10 1", "POST client 10 1"], answer["operations"]!.AsArray().Select(o => $"{o!["name"]} {o["kind"]} {o["count"]} {o["errors"]}"));
        Assert.Equal(2_480_000_000, answer["operations"]![0]!["totalNano"]!.GetValue<long>());
    }

    [Fact]
    public async Task Dependencies_Shop_AreTheCallsThatWereMade()
    {
        await using var host = await Shop.StartAsync();
        var answer = await host.GetJsonAsync($"/api/v1/dependencies?{Shop.Range}");
        Assert.Equal(
            ["payments>bank API external 10 1", "storefront>carts database 10 0"],
            answer["edges"]!.AsArray().Select(edge => $"{edge!["client"]}>{edge["server"]} {edge["type"]} {edge["calls"]} {edge["errors"]}").Where(edge => !edge.Contains("service", StringComparison.Ordinal)));
        Assert.Contains(answer["edges"]!.AsArray(), edge => edge!["server"]!.GetValue<string>() == "payments" && edge["type"]!.GetValue<string>() == "service");
        var bank = answer["edges"]!.AsArray().Single(edge => edge!["server"]!.GetValue<string>() == "bank API")!;
        Assert.Equal((0.166667, 0.1, "POST"), (bank["rate"]!.GetValue<double>(), bank["errorRate"]!.GetValue<double>(), bank["operation"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("bank API", "payments>bank API")]
    [InlineData("payments", "payments>bank API storefront>payments")]
    [InlineData("nobody", "")]
    public async Task Dependencies_OfOneSide_AreItsEdges(string service, string expected)
    {
        await using var host = await Shop.StartAsync();
        var answer = await host.GetJsonAsync($"/api/v1/dependencies?{Shop.Range}&service={Uri.EscapeDataString(service)}");
        Assert.Equal(expected, string.Join(' ', answer["edges"]!.AsArray().Select(edge => $"{edge!["client"]}>{edge["server"]}").Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task Services_OfSeveralEnvironments_NameEachOnce()
    {
        await using var host = await QueryHost.StartAsync();
        host.Spans.Append(Batches.Spans([
            new SpanRow("cart", "GET", 0, 5) { Trace = 1, Id = 1, Kind = SpanKind.Server, Resource = [("deployment.environment.name", "staging")] },
            new SpanRow("cart", "GET", 1, 5) { Trace = 2, Id = 2, Kind = SpanKind.Server, Resource = [("deployment.environment.name", "production"), ("service.instance.id", "a")] },
            new SpanRow("cart", "GET", 2, 5) { Trace = 3, Id = 3, Kind = SpanKind.Server, Resource = [("deployment.environment.name", "production"), ("service.instance.id", "b")] },
            new SpanRow("job", "run", 3, 5) { Trace = 4, Id = 4 },
        ]));
        var answer = await host.GetJsonAsync($"/api/v1/services?{Shop.Range}");
        Assert.Equal(
            ["cart [\"production\",\"staging\"]", "job []"],
            answer["services"]!.AsArray().Select(service => $"{service!["name"]} {service["environments"]!.ToJsonString()}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Traces_Filter_FindsTheFailingOne()
    {
        await using var host = await Shop.StartAsync();
        var text = await host.GetTextAsync($"/api/v1/traces?{Shop.Range}&count=true&q=" + Uri.EscapeDataString("service.name = payments and status = error"));
        Assert.Equal(
            """
            {
              "traces": [
                {
                  "traceId": "00000000000000000000000000000008",
                  "rootService": "storefront",
                  "rootName": "POST /checkout",
                  "rootStatus": "error",
                  "rootMissing": false,
                  "rootHttpStatusCode": 500,
                  "startUnixNano": "1767225635000000000",
                  "durationNano": 2060000000,
                  "spanCount": 4,
                  "errorCount": 3,
                  "orphanCount": 0,
                  "services": [
                    { "name": "payments", "spanCount": 2, "errorCount": 2, "selfNano": 2030000000 },
                    { "name": "storefront", "spanCount": 2, "errorCount": 1, "selfNano": 30000000 }
                  ],
                  "matchedSpanCount": 2,
                  "firstMatchSpanId": "0000000000000048"
                }
              ],
              "matchedSpans": 2,
              "matchedTraces": 1,
              "nextCursor": null
            }
            """.ReplaceLineEndings("\n"), text);
    }

    [Theory]
    [InlineData("newest")]
    [InlineData("slowest")]
    public async Task Traces_Cursor_PagesThroughAllOnce(string order)
    {
        await using var host = await Shop.StartAsync();
        var seen = new List<string>();
        var cursor = "";
        do
        {
            var page = await host.GetJsonAsync($"/api/v1/traces?{Shop.Range}&limit=3&order={order}&cursor={cursor}");
            seen.AddRange(page["traces"]!.AsArray().Select(trace => trace!["traceId"]!.GetValue<string>()));
            cursor = page["nextCursor"]?.GetValue<string>();
        }
        while (cursor is not null);
        Assert.Equal(10, seen.Count);
        Assert.Equal(10, seen.Distinct().Count());
        Assert.EndsWith(order == "newest" ? "a" : "8", seen[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trace_ById_IsWholeAndInItsShape()
    {
        await using var host = await Shop.StartAsync();
        var trace = await host.GetStrictAsync<TraceShape>("/api/v1/traces/8");
        Assert.Equal((4, 2_060_000_000, false), (trace.SpanCount, trace.DurationNano, trace.Truncated));
        var client = trace.Spans.Single(span => span.Name == "POST");
        Assert.Equal(("client", "error", "timed out", "0000000000000048"), (client.Kind, client.Status, client.StatusMessage, client.ParentSpanId));
        Assert.Equal("bank API", client.Attributes["peer.service"].GetString());
        var exception = Assert.Single(client.Events);
        Assert.Equal(("exception", "TimeoutException"), (exception.Name, exception.Attributes["exception.type"].GetString()));
        Assert.Equal(("payments", "2.0"), (trace.Resources[client.Resource].ServiceName, trace.Resources[client.Resource].Attributes["service.version"].GetString()));
        Assert.Equal("Test.Scope", trace.Scopes[client.Scope].Name);
        Assert.Null(trace.Spans.Single(span => span.Name == "POST /checkout").ParentSpanId);
    }

    [Fact]
    public async Task Outline_ById_SaysWhereTheTimeWent()
    {
        await using var host = await Shop.StartAsync();
        var outline = await host.GetStrictAsync<OutlineShape>("/api/v1/traces/8/outline");
        Assert.Equal(["POST /checkout", "SELECT carts", "charge", "POST"], outline.Columns.Name.Select(name => outline.Names[name]));
        Assert.Equal([-1, 0, 0, 2], outline.Columns.Parent);
        Assert.Equal([0, 1, 1, 2], outline.Columns.Depth);
        Assert.Equal([2, 3, 2, 3], outline.Columns.Kind);
        Assert.Equal([2, 0, 2, 2], outline.Columns.Status);
        Assert.Equal([0, 0, 2, 0], outline.Columns.Logs);
        Assert.Equal([0, 0, 0, 1], outline.Columns.Exceptions);
        Assert.Equal([0L, 2_000_000, 10_000_000, 20_000_000], outline.Columns.StartNano);
        Assert.Equal(["", "carts", "", "bank API"], outline.Columns.Peer.Select(peer => peer < 0 ? "" : outline.Names[peer]));
        Assert.Equal(("storefront", "POST /checkout", "error", 500), (outline.Root.Service, outline.Root.Name, outline.Root.Status, outline.Root.HttpStatusCode));
        Assert.Equal(new HeadlineShape(0.9709, 2_000_000_000, 1, "payments", "bank API", "POST", "waits"), outline.Headline);
        Assert.Equal(7, outline.CriticalPath.Count);
        Assert.Empty(outline.Warnings);
    }

    [Fact]
    public async Task Span_ById_IsRankedAmongItsOperation()
    {
        await using var host = await Shop.StartAsync();
        var span = await host.GetStrictAsync<SpanShape>("/api/v1/traces/8/spans/48");
        Assert.Equal(("charge", "payments", 8L), (span.Name, span.Resource.ServiceName, span.DurationRank.Count));
        Assert.InRange(span.DurationRank.SlowerThan, 0.87, 1);
    }

    [Fact]
    public async Task TraceLogs_OfASpan_AreOldestFirst()
    {
        await using var host = await Shop.StartAsync();
        var logs = await host.GetStrictAsync<LogsShape>("/api/v1/traces/8/logs?spanId=48");
        Assert.Equal(["Charging order 7", "The bank timed out"], logs.Records.Select(record => record.Body.GetString()));
        Assert.Equal(2, logs.Matched);
        Assert.Empty((await host.GetStrictAsync<LogsShape>("/api/v1/traces/8/logs?spanId=49")).Records);
    }

    [Fact]
    public async Task Red_ByServiceWithSteps_HasSeries()
    {
        await using var host = await Shop.StartAsync();
        var answer = await host.GetJsonAsync($"/api/v1/spans/red?{Shop.Range}&q=kind%3Dserver&by=resource.service.name&by=kind&step=30s");
        Assert.Equal((2, 30_000_000_000), (answer["steps"]!.GetValue<int>(), answer["stepNano"]!.GetValue<long>()));
        var group = answer["groups"]!.AsArray().Single(group => group!["key"]![0]!.GetValue<string>() == "payments")!;
        Assert.Equal("""["payments","server"]""", group["key"]!.ToJsonString());
        Assert.Equal("[6,4]", group["series"]!["count"]!.ToJsonString());
        Assert.Equal("[0,1]", group["series"]!["errors"]!.ToJsonString());
        Assert.Equal(2, group["series"]!["p99Nano"]!.AsArray().Count);
        var total = await host.GetJsonAsync($"/api/v1/spans/red?{Shop.Range}&q=kind%3Dserver");
        Assert.Equal("[]", total["groups"]![0]!["key"]!.ToJsonString());
        Assert.Null(total["groups"]![0]!["series"]);
        Assert.Equal(20, total["groups"]![0]!["count"]!.GetValue<long>());
    }

    [Fact]
    public async Task Heatmap_Rows_CoverEverySpanOnce()
    {
        await using var host = await Shop.StartAsync();
        var answer = await host.GetJsonAsync($"/api/v1/spans/heatmap?{Shop.Range}&step=10s");
        var rows = answer["rows"]!.AsArray();
        Assert.InRange(rows.Count, 2, 24);
        Assert.Equal(40, rows.Sum(row => row!["count"]!.AsArray().Sum(cell => cell!.GetValue<long>())));
        Assert.Equal(3, rows.Sum(row => row!["errors"]!.AsArray().Sum(cell => cell!.GetValue<long>())));
        for (var i = 1; i < rows.Count; i++)
        {
            Assert.Equal(rows[i]!["toNano"]!.GetValue<long>(), rows[i - 1]!["fromNano"]!.GetValue<long>());
        }
        Assert.Equal("[0,0,0,2,0,0]", rows[0]!["errors"]!.ToJsonString());
        Assert.Empty((await host.GetJsonAsync("/api/v1/spans/heatmap?from=0&to=1"))["rows"]!.AsArray());
    }

    [Fact]
    public async Task Facets_OneField_CountsValuesAndErrors()
    {
        await using var host = await Shop.StartAsync();
        var text = await host.GetTextAsync($"/api/v1/spans/facets?{Shop.Range}&field=span.card.network&field=status");
        Assert.Equal(
            """
            {
              "matched": 40,
              "facets": [
                {
                  "field": "span.card.network",
                  "present": 20,
                  "distinct": 2,
                  "truncated": false,
                  "values": [
                    { "value": "amex", "count": 18, "errors": 0 },
                    { "value": "visa", "count": 2, "errors": 2 }
                  ]
                },
                {
                  "field": "status",
                  "present": 40,
                  "distinct": 2,
                  "truncated": false,
                  "values": [
                    { "value": "unset", "count": 37, "errors": 0 },
                    { "value": "error", "count": 3, "errors": 3 }
                  ]
                }
              ]
            }
            """.ReplaceLineEndings("\n"), text);
    }

    [Fact]
    public async Task Compare_SlowBox_RanksWhatDiffers()
    {
        await using var host = await Shop.StartAsync();
        var answer = await host.GetJsonAsync($"/api/v1/spans/compare?{Shop.Range}&q=name%3Dcharge&box=duration%3E1s&boxFrom=2026-01-01T00:00:30Z");
        Assert.Equal((1, 9), (answer["inside"]!.GetValue<int>(), answer["outside"]!.GetValue<int>()));
        var attributes = answer["attributes"]!.AsArray().ToDictionary(attribute => attribute!["field"]!.GetValue<string>());
        var network = attributes["span.card.network"]!;
        Assert.Equal(1, network["difference"]!.GetValue<double>());
        Assert.Contains("""{"value":"visa","inside":1,"outside":0}""", network["values"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.False(attributes.ContainsKey("resource.service.name"));
    }

    [Fact]
    public async Task Logs_Filter_GivesWholeRecords()
    {
        await using var host = await Shop.StartAsync();
        var text = await host.GetTextAsync($"/api/v1/logs?{Shop.Range}&q=severity%20%3E%3D%20warn&text=TIMED");
        Assert.Equal(
            """
            {
              "records": [
                {
                  "timeUnixNano": "1767225637015000000",
                  "observedTimeUnixNano": "1767225637015000000",
                  "severityNumber": 17,
                  "severity": "error",
                  "severityText": "ERROR",
                  "body": "The bank timed out",
                  "eventName": "bank.timeout",
                  "traceId": "00000000000000000000000000000008",
                  "spanId": "0000000000000048",
                  "service": "payments",
                  "resource": {
                    "attributes": { "service.name": "payments" }
                  },
                  "scope": {
                    "name": "Test.Scope",
                    "version": "1.0",
                    "attributes": {}
                  },
                  "attributes": { "order.id": 7 },
                  "droppedAttributesCount": 0,
                  "flags": 1
                }
              ],
              "matched": 1,
              "nextCursor": null
            }
            """.ReplaceLineEndings("\n"), text);
    }

    [Theory]
    [InlineData("newest")]
    [InlineData("oldest")]
    public async Task Logs_Cursor_PagesThroughAllOnce(string order)
    {
        await using var host = await Shop.StartAsync();
        var times = new List<long>();
        var cursor = "";
        do
        {
            var page = await host.GetStrictAsync<LogsShape>($"/api/v1/logs?{Shop.Range}&limit=5&order={order}&cursor={cursor}");
            times.AddRange(page.Records.Select(record => long.Parse(record.TimeUnixNano, System.Globalization.CultureInfo.InvariantCulture)));
            cursor = page.NextCursor;
        }
        while (cursor is not null);
        Assert.Equal(12, times.Count);
        Assert.Equal(order == "oldest" ? times.Order() : times.OrderDescending(), times);
    }

    [Fact]
    public async Task LogHistogram_BySeverity_AddsUp()
    {
        await using var host = await Shop.StartAsync();
        var answer = await host.GetJsonAsync($"/api/v1/logs/histogram?{Shop.Range}&step=20s");
        Assert.Equal("[4,4,2]", answer["series"]!["info"]!.ToJsonString());
        Assert.Equal("[0,1,0]", answer["series"]!["error"]!.ToJsonString());
        Assert.Equal("""{"fatal":0,"error":1,"warn":0,"info":10,"debug":1,"trace":0,"unspecified":0}""", answer["totals"]!.ToJsonString());
    }

    [Fact]
    public async Task Attributes_NamesAndValues_ServeCompletion()
    {
        await using var host = await Shop.StartAsync();
        var names = await host.GetJsonAsync($"/api/v1/attributes?{Shop.Range}&prefix=ser");
        Assert.Contains(names["names"]!.AsArray(), name => name!["field"]!.GetValue<string>() == "resource.service.name" && name["scope"]!.GetValue<string>() == "resource");
        var values = await host.GetJsonAsync($"/api/v1/attributes/values?{Shop.Range}&field=resource.service.name&prefix=PAY");
        Assert.Equal("""[{"value":"payments","count":20}]""", values["values"]!.ToJsonString());
        var kinds = await host.GetJsonAsync($"/api/v1/attributes/values?{Shop.Range}&field=kind&prefix=ser");
        Assert.Equal("""[{"value":"server","count":20}]""", kinds["values"]!.ToJsonString());
    }

    [Theory]
    [InlineData("resource.service.name = pay", "value", 24, "\"payments\"")]
    [InlineData("resource.ser", "field", 0, "resource.service.name")]
    [InlineData("dur", "field", 0, "duration")]
    [InlineData("kind = ", "value", 7, "server")]
    [InlineData("kind ", "operator", 5, "=")]
    [InlineData("kind = server ", "conjunction", 14, "&&")]
    public async Task Complete_AtTheEnd_OffersWhatFits(string q, string expecting, int from, string item)
    {
        await using var host = await Shop.StartAsync();
        var answer = await host.GetJsonAsync($"/api/v1/filter/complete?{Shop.Range}&q=" + Uri.EscapeDataString(q));
        Assert.Equal((expecting, from), (answer["expecting"]!.GetValue<string>(), answer["replaceFrom"]!.GetValue<int>()));
        Assert.Contains(answer["items"]!.AsArray(), offered => offered!["text"]!.GetValue<string>() == item);
    }

    [Fact]
    public async Task ParseFilter_Terms_AreTakenApart()
    {
        await using var host = await QueryHost.StartAsync();
        var text = await host.GetTextAsync("/api/v1/filter/parse?q=" + Uri.EscapeDataString("{ service.name = \"a b\" && duration > 1s && (kind = server || .x = 1) && .y != nil }"));
        Assert.Equal(
            """
            {
              "filter": ".service.name = \"a b\" && duration > 1s && (kind = server || .x = 1) && .y != nil",
              "terms": [
                { "text": ".service.name = \"a b\"", "field": ".service.name", "operator": "=", "value": "\"a b\"" },
                { "text": "duration > 1s", "field": "duration", "operator": ">", "value": "1s" },
                { "text": "kind = server || .x = 1", "field": null, "operator": null, "value": null },
                { "text": ".y != nil", "field": ".y", "operator": "!=", "value": "nil" }
              ]
            }
            """.ReplaceLineEndings("\n"), text);
    }

    [Fact]
    public async Task Trace_ValuesOfEveryType_AreTold()
    {
        await using var host = await QueryHost.StartAsync();
        host.Spans.Append(Batches.Spans(new SpanRow("a", "b", 0, 1)
        {
            Id = 1,
            Attributes =
            [
                ("text", "é\"\n値"), ("int", 5), ("big", 1L << 53), ("least", long.MinValue), ("double", 1.5), ("nan", double.NaN), ("inf", double.NegativeInfinity),
                ("flag", true), ("none", null), ("bytes", new byte[] { 1, 2, 255 }), ("twice", 1), ("twice", 2),
                ("list", (AttributeType.Array, Batches.AnyValue(5, [0x0A, 3, 0x0A, 1, (byte)'x', 0x0A, 2, 0x18, 7]))),
                ("invalid", (AttributeType.String, new byte[] { (byte)'a', 0xFF, (byte)'b' })),
            ],
        }));
        var trace = await host.GetStrictAsync<TraceShape>("/api/v1/traces/1");
        Assert.Equal(
            """{"text":"é\"\n値","int":5,"big":{"int":"9007199254740992"},"least":{"int":"-9223372036854775808"},"double":1.5,"nan":{"double":"NaN"},"inf":{"double":"-Infinity"},"flag":true,"none":null,"bytes":{"bytes":"AQL/"},"twice":2,"list":["x",7],"invalid":"a�b"}""",
            JsonSerializer.Serialize(trace.Spans[0].Attributes, new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    [Fact]
    public async Task OpenApi_Document_DescribesEveryPathAndParameter()
    {
        await using var host = await QueryHost.StartAsync();
        var (status, _, body) = await host.GetAsync("/openapi/v1.json");
        Assert.True(status == HttpStatusCode.OK, body);
        var paths = JsonNode.Parse(body)!["paths"]!.AsObject();
        Assert.Equal(21, paths.Count(path => path.Key.StartsWith("/api/v1/", StringComparison.Ordinal)));
        foreach (var (path, item) in paths)
        {
            var operation = item!["get"]!;
            Assert.False(string.IsNullOrEmpty(operation["summary"]?.GetValue<string>()), path);
            Assert.All(operation["parameters"]?.AsArray() ?? [], parameter => Assert.False(string.IsNullOrEmpty(parameter!["description"]?.GetValue<string>()), $"{path} {parameter["name"]}"));
            Assert.True(operation["responses"]!["200"]!["content"]!.AsObject().Count > 0, path);
        }
    }
}
