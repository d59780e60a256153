using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Apm.Standalone.Tests;

public sealed class StandaloneProcessTests
{
    private static readonly string[] FreePorts = ["--Listen:Port", "0", "--Receivers:OtlpGrpc:Port", "0", "--Receivers:OtlpHttp:Port", "0"];

    [Theory]
    [InlineData("--Listen:Prot 1", "error: Listen:Prot: there is no such setting; did you mean Listen:Port.")]
    [InlineData("--Listen:Port 99999", "error: Listen:Port: '99999' must be from 0 to 65535.")]
    [InlineData("--Listen:Address 0.0.0.0", "error: Listen:Address: '0.0.0.0' opens Apm to other machines, and this version cannot ask who they are.")]
    [InlineData("--Receivers:OtlpGrpc:Port x --Collector:MaxBodyBytes 1", "error: Collector:MaxBodyBytes: '1' must be from 65536 to 268435456.|error: Receivers:OtlpGrpc:Port: 'x' must be a whole number.")]
    [InlineData("--Collector:MaxInFlightBytes 1048576", "error: Collector:MaxInFlightBytes: '1048576' must be at least")]
    [InlineData("--Bufer:SegmentBytes 1", "error: Bufer: there is no such section of settings; did you mean Buffer.")]
    [InlineData(
        "--Retention:Spans:Default 7 --Retention:Logs:Services:cart 0 --Retention:DiskBudget 50",
        "error: Retention:Spans:Default: '7' must be a whole number of days, hours or minutes such as 7d|error: Retention:Logs:Services:cart: '0' must be|error: Retention:DiskBudget: '50' must be a size such as 50GB")]
    [InlineData(
        "--Retention:Span:Default 7d --Retention:Logs:Defualt 7d",
        "error: Retention:Span: there is no such setting; did you mean Retention:Spans.|error: Retention:Logs:Defualt: there is no such setting; did you mean Retention:Logs:Default.")]
    [InlineData("--nonsense", "error: unknown argument '--nonsense'")]
    [InlineData("--data /proc/none", "error: Data:Directory (--data): ")]
    public async Task Start_WrongSettings_EndsWithCode2AndALineForEach(string line, string errors)
    {
        await using var process = new StandaloneProcess(line.Split(' '));
        Assert.Equal(2, await process.ExitAsync());
        Assert.All(errors.Split('|'), error => Assert.Contains(error, process.Output, StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_PortTaken_IsRefusedWhenSet()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        await using var process = new StandaloneProcess("--Listen:Port", port, "--Receivers:OtlpGrpc:Enabled", "false", "--Receivers:OtlpHttp:Port", port);
        Assert.Equal(2, await process.ExitAsync());
        Assert.Contains($"error: Listen:Port: port {port} is taken by another process", process.Output, StringComparison.Ordinal);
        Assert.Contains($"error: Receivers:OtlpHttp:Port: port {port} is taken by another process", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_SpanSent_IsFoundAndSurvivesARestart()
    {
        await using var process = new StandaloneProcess(FreePorts);
        using var client = new HttpClient { BaseAddress = await process.ReadyAsync() };
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var span = $$$"""{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}}]},"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"ok","kind":2,"startTimeUnixNano":"{{{now}}}000000000","endTimeUnixNano":"{{{now}}}100000000"}]}]}]}""";
        using (var sent = await client.PostAsync("/v1/traces", new StringContent(span, Encoding.UTF8, "application/json")))
        {
            Assert.Equal("{}", await sent.Content.ReadAsStringAsync());
        }
        // Promised: visible within one second.
        var found = await FindAsync(client, TimeSpan.FromSeconds(1));
        Assert.Equal("cart", found.GetProperty("traces")[0].GetProperty("rootService").GetString());
        using (var foreign = new HttpRequestMessage(HttpMethod.Get, "/api/v1/traces") { Headers = { Host = "rebound.example" } })
        using (var refused = await client.SendAsync(foreign))
        {
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        }
        using (var page = await client.GetAsync("/"))
        {
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
            Assert.Contains("script-src 'self'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            Assert.False(page.Headers.Contains("Server"));
        }
        await using (var second = new StandaloneProcess([.. FreePorts, "--data", process.DataDirectory]))
        {
            Assert.Equal(2, await second.ExitAsync());
            Assert.Contains($"in use by process {process.Id}", second.Output, StringComparison.Ordinal);
        }
        await process.TerminateAsync();
        Assert.Equal(0, await process.ExitAsync());
        await using var again = new StandaloneProcess([.. FreePorts, "--data", process.DataDirectory]);
        using var secondClient = new HttpClient { BaseAddress = await again.ReadyAsync() };
        Assert.Equal(1, (await FindAsync(secondClient, TimeSpan.Zero)).GetProperty("traces").GetArrayLength());
    }

    private static async Task<JsonElement> FindAsync(HttpClient client, TimeSpan within)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var answer = await client.GetFromJsonAsync<JsonElement>("/api/v1/traces?limit=5");
            if (answer.GetProperty("traces").GetArrayLength() > 0 || TimeProvider.System.GetElapsedTime(started) > within)
            {
                return answer;
            }
        }
    }
}
