using System.Buffers;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Apm.ServiceDefaults.Health;

namespace Apm.ServiceDefaults.Tests.Health;

public sealed class MeterSnapshotTests
{
    [Fact]
    public void Write_EveryKind_ShowsItsValueByAttributes()
    {
        using var snapshot = new MeterSnapshot();
        using var meter = new Meter("Apm.MeterSnapshotTests");
        using var foreign = new Meter("Other");
        var counter = meter.CreateCounter<long>("test.snapshot.counter", "{thing}", "Things");
        counter.Add(2, new KeyValuePair<string, object?>("color", "red"));
        counter.Add(3, new KeyValuePair<string, object?>("color", "red"));
        counter.Add(1, new KeyValuePair<string, object?>("color", "blue"));
        var histogram = meter.CreateHistogram<double>("test.snapshot.histogram");
        histogram.Record(1.5);
        histogram.Record(0.5);
        meter.CreateObservableGauge("test.snapshot.gauge", () => 42L);
        foreign.CreateCounter<long>("test.snapshot.foreign").Add(1);
        var counted = Metric(snapshot, "test.snapshot.counter");
        Assert.Equal(("counter", "{thing}"), (counted.GetProperty("kind").GetString(), counted.GetProperty("unit").GetString()));
        Assert.Equal("""[{"attributes":{"color":"red"},"value":5},{"attributes":{"color":"blue"},"value":1}]""", counted.GetProperty("points").GetRawText());
        Assert.Equal("""[{"attributes":{},"count":2,"sum":2,"min":0.5,"max":1.5}]""", Metric(snapshot, "test.snapshot.histogram").GetProperty("points").GetRawText());
        // Looked at twice: a gauge is the last observation, not their sum.
        Assert.Equal("""[{"attributes":{},"value":42}]""", Metric(snapshot, "test.snapshot.gauge").GetProperty("points").GetRawText());
        Assert.Equal(JsonValueKind.Undefined, Metric(snapshot, "test.snapshot.foreign").ValueKind);
    }

    [Fact]
    public void Add_ManyAttributeSets_AreBounded()
    {
        using var snapshot = new MeterSnapshot();
        using var meter = new Meter("Apm.MeterSnapshotTests.Bound");
        var counter = meter.CreateCounter<long>("test.snapshot.bound");
        for (var i = 0; i < 1000; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("i", i));
        }
        var points = Metric(snapshot, "test.snapshot.bound").GetProperty("points").EnumerateArray().ToArray();
        Assert.InRange(points.Length, 2, 201);
        Assert.Equal(1000, points.Sum(point => point.GetProperty("value").GetDouble()));
    }

    private static JsonElement Metric(MeterSnapshot snapshot, string name)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            snapshot.Write(json);
        }
        return JsonSerializer.Deserialize<JsonElement>(bytes.WrittenSpan).GetProperty("metrics").EnumerateArray().FirstOrDefault(metric => metric.GetProperty("name").GetString() == name);
    }
}
