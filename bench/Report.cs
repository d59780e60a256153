using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Apm.Bench;

/// <summary>Collects figures, each beside its gate; prints a table and one line of JSON.</summary>
internal sealed class Report(BenchArguments arguments, string commandLine)
{
    private readonly List<Figure> _figures = [];

    public void Add(string name, double value, string unit, Gate? gate = null) =>
        Add(name, $"{Text(value)} {unit}", new JsonObject { ["value"] = Number(value), ["unit"] = unit }, ("", value, gate));

    /// <summary>A figure that is no number.</summary>
    public void Add(string name, string text) => Add(name, text, text);

    /// <param name="gateP95">Of the 95th percentile.</param>
    /// <param name="gateP99">Of the 99th.</param>
    public void AddLatencies(string name, double[] sortedMilliseconds, Gate? gateP95 = null, Gate? gateP99 = null)
    {
        var (p50, p95, p99) = (Quantile(sortedMilliseconds, 0.5), Quantile(sortedMilliseconds, 0.95), Quantile(sortedMilliseconds, 0.99));
        Add($"{name}, p50 / p95 / p99", $"{Text(p50)} / {Text(p95)} / {Text(p99)} ms",
            new JsonObject { ["p50"] = Number(p50), ["p95"] = Number(p95), ["p99"] = Number(p99), ["unit"] = "ms", ["n"] = sortedMilliseconds.Length },
            ("p95 ", p95, gateP95), ("p99 ", p99, gateP99));
    }

    /// <summary>The table, the JSON, and the file that was asked for.</summary>
    public void Print()
    {
        var machine = $"{Environment.ProcessorCount} cores, {File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()}, .NET {Environment.Version}, loader on the same machine";
        Console.WriteLine($"\n{arguments.Name}: {machine}");
        Console.WriteLine($"  {"",-60} {"",32}   gate (stretch)");
        foreach (var figure in _figures)
        {
            Console.WriteLine($"  {figure.Name,-60} {figure.Text,32}{(figure.Gates.Length > 0 ? $"   {figure.Gates}" : "")}");
        }
        var json = new JsonObject
        {
            ["bench"] = arguments.Name,
            ["command"] = commandLine,
            ["time"] = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture),
            ["machine"] = machine,
            ["figures"] = new JsonObject(_figures.Select(figure => KeyValuePair.Create(figure.Name, (JsonNode?)figure.Json))),
        }.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        Console.WriteLine(json);
        if (arguments.Out is { } file)
        {
            File.AppendAllText(file, json + "\n");
        }
    }

    private void Add(string name, string text, JsonNode json, params (string Which, double Value, Gate? Gate)[] gates)
    {
        var held = gates.Where(gate => gate.Gate is not null).Select(gate => (gate.Which, Gate: gate.Gate!, IsMet: gate.Gate!.IsMet(gate.Value))).ToList();
        foreach (var (which, gate, isMet) in held)
        {
            json[$"{which}gate"] = gate.Limit;
            json[$"{which}met"] = isMet;
        }
        _figures.Add(new Figure(name, text, json, string.Join(", ", held.Select(gate => $"{gate.Which}{gate.Gate}  {(gate.IsMet ? "met" : "NOT MET")}"))));
    }

    private static string Text(double value) => value.ToString(Math.Abs(value) >= 1_000 || value == Math.Floor(value) ? "#,0" : "0.00", CultureInfo.InvariantCulture);

    private static JsonNode? Number(double value) => double.IsFinite(value) ? Math.Round(value, 4) : null;

    private static double Quantile(double[] sorted, double quantile) => sorted.Length == 0 ? double.NaN : sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * quantile))];

    /// <param name="Gates">As shown; empty when it is held to none.</param>
    private sealed record Figure(string Name, string Text, JsonNode Json, string Gates);
}
