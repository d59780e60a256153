using System.Net;
using System.Text.Json;
using Apm.Telemetry;
using Apm.TestKit.Processes;

namespace Apm.Faults;

/// <summary>What was sent in all rounds of a test, and the check that it is stored: acknowledged traces whole, others whole or not at all, nothing twice.</summary>
internal sealed class StoredTraces(int seed)
{
    private readonly List<TraceId> _acknowledged = [];
    private readonly List<TraceId> _unknown = [];

    public int Acknowledged => _acknowledged.Count;

    public int Unknown => _unknown.Count;

    public void Add(TraceSender sender)
    {
        _acknowledged.AddRange(sender.Acknowledged);
        _unknown.AddRange(sender.Unknown);
    }

    public async Task AssertStoredAsync(StandaloneProcess standalone)
    {
        Assert.NotEmpty(_acknowledged);
        var lost = new List<TraceId>();
        foreach (var id in _acknowledged)
        {
            if (await CountSpansAsync(standalone, id) != TraceSender.SpansPerTrace)
            {
                lost.Add(id);
            }
        }
        Assert.True(lost.Count == 0, $"seed {seed}: {lost.Count} of {_acknowledged.Count} acknowledged traces are not whole, first {lost.FirstOrDefault()}");
        long expected = (long)_acknowledged.Count * TraceSender.SpansPerTrace;
        foreach (var id in _unknown)
        {
            // A request without an answer is stored whole or not at all.
            var count = await CountSpansAsync(standalone, id);
            Assert.True(count is 0 or TraceSender.SpansPerTrace, $"seed {seed}: trace {id} has {count} spans");
            expected += count;
        }
        Assert.Equal(expected, await CountAllAsync(standalone.Client));
    }

    public static async Task<int> CountSpansAsync(StandaloneProcess standalone, TraceId id)
    {
        using var response = await standalone.Client.GetAsync($"api/v1/traces/{id}");
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return 0;
        }
        response.EnsureSuccessStatusCode();
        using var trace = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        var ids = trace.RootElement.GetProperty("spans").EnumerateArray().Select(span => span.GetProperty("spanId").GetString()).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        return ids.Count;
    }

    public static Task<long> CountAllAsync(HttpClient client) => CountAllAsync(client, TraceSender.Service);

    public static async Task<long> CountAllAsync(HttpClient client, string service)
    {
        using var answer = JsonDocument.Parse(await client.GetStringAsync($"api/v1/spans/red?from=now-1d&to=now%2B1h&q=resource.service.name%20%3D%20{service}"));
        return answer.RootElement.GetProperty("groups").EnumerateArray().Sum(group => group.GetProperty("count").GetInt64());
    }
}
