using System.Text.Json.Nodes;
using Apm.Query.Logs;

namespace Apm.Query.Tests.Logs;

public sealed class LogTailTests
{
    /// <summary>One minute after the origin, as the host's clock.</summary>
    private const double NowMs = 60_000;

    [Fact]
    public async Task Tail_NewRecords_AreSentOnceInOrderOfTime()
    {
        await using var host = await QueryHost.StartAsync();
        host.Logs.Append(Batches.Logs(new LogRow("a", NowMs - 5_000, "before")));
        using var reader = await OpenAsync(host, "severity >= info");
        host.Logs.Append(Batches.Logs(new LogRow("a", NowMs + 20, "second"), new LogRow("a", NowMs + 10, "first"), new LogRow("a", NowMs + 15, "quiet") { Severity = 5 }));
        Assert.Equal(["first", "second"], await ReadAsync(host, reader, 2));
        // Late, but within what is looked back at; and twice alike, which shows twice.
        host.Logs.Append(Batches.Logs(new LogRow("a", NowMs + 5, "late"), new LogRow("a", NowMs + 30, "twin"), new LogRow("a", NowMs + 30, "twin")));
        Assert.Equal(["late", "twin", "twin"], await ReadAsync(host, reader, 3));
    }

    [Fact]
    public async Task Tail_MoreThanIsSent_CountsTheRest()
    {
        await using var host = await QueryHost.StartAsync();
        using var reader = await OpenAsync(host, "");
        host.Logs.Append(Batches.Logs(Enumerable.Range(0, LogTail.MaxRecords + 30).Select(i => new LogRow("a", NowMs + 1 + (i * 0.01), $"r{i}"))));
        var read = await ReadAsync(host, reader, LogTail.MaxRecords + 1);
        Assert.Equal("""{"count":30}""", read[0]);
        Assert.Equal($"r{LogTail.MaxRecords + 29}", read[^1]);
    }

    [Fact]
    public async Task Tail_MoreBytesThanAreSent_CountsTheRest()
    {
        await using var host = await QueryHost.StartAsync();
        using var reader = await OpenAsync(host, "");
        var text = new string('x', LogTail.MaxEventBytes / 4);
        host.Logs.Append(Batches.Logs(Enumerable.Range(0, 10).Select(i => new LogRow("a", NowMs + 1 + i, $"{i}{text}"))));
        var read = await ReadAsync(host, reader, 5);
        Assert.Equal(["0", "1", "2", "3", """{"count":6}"""], read.Select(data => data[0] == '{' ? data : data[..1]));
    }

    [Fact]
    public async Task Tail_TooMany_Is503()
    {
        await using var host = await QueryHost.StartAsync(options => options.ConcurrentTails = 0);
        var (status, type, _) = await host.GetAsync("/api/v1/logs/tail");
        Assert.Equal((System.Net.HttpStatusCode.ServiceUnavailable, "application/problem+json"), (status, type));
    }

    private static async Task<StreamReader> OpenAsync(QueryHost host, string q)
    {
        var response = await host.Client.GetAsync("/api/v1/logs/tail?q=" + Uri.EscapeDataString(q), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal(": open", await reader.ReadLineAsync());
        return reader;
    }

    /// <summary>Bodies of records, or the data of other events; the clock is moved on until they have come.</summary>
    private static async Task<List<string>> ReadAsync(QueryHost host, StreamReader reader, int count)
    {
        var read = new List<string>();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (read.Count < count)
        {
            var next = reader.ReadLineAsync(limit.Token).AsTask();
            while (!next.IsCompleted)
            {
                limit.Token.ThrowIfCancellationRequested();
                host.Time.Advance(TimeSpan.FromMilliseconds(5));
                await Task.WhenAny(next, Task.Delay(1, limit.Token));
            }
            var line = await next ?? throw new EndOfStreamException("the tail ended");
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                var data = JsonNode.Parse(line[6..])!;
                read.Add(data["body"]?.GetValue<string>() ?? data.ToJsonString());
            }
        }
        return read;
    }
}
