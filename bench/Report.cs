using System.Globalization;
using System.Text.Json;

namespace Apm.Bench;

/// <summary>Collects figures with the conditions they were measured under; prints a table and one line of JSON.</summary>
internal sealed class Report(string bench)
{
    private readonly List<(string Name, string Value)> _rows = [];

    public void Add(string name, double value, string unit) => Add(name, string.Create(CultureInfo.InvariantCulture, $"{value:N2} {unit}"));

    public void Add(string name, string value) => _rows.Add((name, value));

    public void AddLatencies(string name, double[] sortedMilliseconds) =>
        Add(name, string.Create(CultureInfo.InvariantCulture, $"p50 {Quantile(sortedMilliseconds, 0.5):F2} ms, p95 {Quantile(sortedMilliseconds, 0.95):F2} ms, p99 {Quantile(sortedMilliseconds, 0.99):F2} ms (n = {sortedMilliseconds.Length})"));

    public void Print()
    {
        Console.WriteLine($"\n{bench}: {Environment.ProcessorCount} cores, {File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()}, .NET {Environment.Version}, loader on the same machine");
        foreach (var (name, value) in _rows)
        {
            Console.WriteLine($"  {name,-52} {value}");
        }
        Console.WriteLine(JsonSerializer.Serialize(new { bench, figures = _rows.ToDictionary(row => row.Name, row => row.Value) }));
    }

    private static double Quantile(double[] sorted, double quantile) => sorted.Length == 0 ? 0 : sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * quantile))];
}
