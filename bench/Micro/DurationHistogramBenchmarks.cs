using Apm.Storage;
using BenchmarkDotNet.Attributes;

namespace Apm.Bench;

/// <summary>Durations recorded, histograms added up, quantiles read.</summary>
public class DurationHistogramBenchmarks
{
    private const int Values = 10_000;

    private readonly long[] _durations = new long[Values];
    private readonly DurationHistogram _full = new();
    private readonly DurationHistogram _sum = new();

    [GlobalSetup]
    public void Setup()
    {
        var random = new SeededRandom(3);
        for (var i = 0; i < Values; i++)
        {
            _durations[i] = (long)(5e6 * Math.Exp(1.1 * random.Normal()));
            _full.Record(_durations[i]);
        }
    }

    [Benchmark(OperationsPerInvoke = Values)]
    public DurationHistogram Record()
    {
        var histogram = new DurationHistogram();
        foreach (var duration in _durations)
        {
            histogram.Record(duration);
        }
        return histogram;
    }

    [Benchmark]
    public void Add() => _sum.Add(_full);

    [Benchmark]
    public long P99() => _full.QuantileNano(0.99);
}
