using Apm.Telemetry;

namespace Apm.Bench.Tests.Load;

public sealed class BodyPoolTests
{
    private const int Requests = 60;

    /// <summary>Two loads at once would be one trace too few, or one order too many, when they are counted back.</summary>
    [Theory]
    [InlineData(nameof(Signal.Traces), 1UL, 2UL)]
    [InlineData(nameof(Signal.Logs), 1UL, 2UL)]
    [InlineData(nameof(Signal.Traces), 3UL, 4UL)]
    public void Take_FromPoolsOfTwoSeeds_HasNoIdInCommon(string signalName, ulong first, ulong second)
    {
        var signal = Enum.Parse<Signal>(signalName);
        var timeline = new Timeline(TimeSpan.FromHours(1), Requests);
        var (one, other) = (IdsOf(first), IdsOf(second));
        Assert.Equal(3, one.Count);
        foreach (var (kind, ids) in one)
        {
            Assert.True(ids.Count >= Requests, $"{ids.Count} {kind}");
            Assert.False(ids.Overlaps(other[kind]), kind);
        }

        // Of several passes over the pool: each body is sent again with other ids.
        Dictionary<string, HashSet<string>> IdsOf(ulong seed)
        {
            var pool = BodyPool.Create(new BenchArguments { Name = "test", Batch = 50, Connections = 4 }, signal, timeline, items: 500, seed);
            var found = new Dictionary<string, HashSet<string>> { ["trace ids"] = [], ["span ids"] = [], ["texts"] = [] };
            for (var i = 0; i < Requests; i++)
            {
                var request = pool.Take()!.Value;
                var bytes = request.Body.ToArray();
                var places = new RequestPlaces(bytes);
                places.Find(signal);
                string Hex(int at, int length) => Convert.ToHexString(bytes.AsSpan(at, length));
                found["trace ids"].UnionWith(places.TraceIds.Select(at => Hex(at, 16)));
                found["span ids"].UnionWith(places.SpanIds.Select(at => Hex(at, 8)));
                found["texts"].UnionWith(places.Patches.Where(patch => patch.IsHex).Select(patch => Hex(patch.Offset, patch.Length)));
                pool.Return(request);
            }
            return found;
        }
    }
}
