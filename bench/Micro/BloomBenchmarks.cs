using Apm.Storage.Embedded.Encodings;
using BenchmarkDotNet.Attributes;

namespace Apm.Bench;

/// <summary>The filter of one block's distinct values.</summary>
public class BloomBenchmarks
{
    private const int Values = 8_192;

    private readonly ulong[] _hashes = new ulong[Values];
    private readonly byte[] _filter = new byte[Bloom.SizeBytes(Values)];

    [GlobalSetup]
    public void Setup()
    {
        var random = new SeededRandom(3);
        for (var i = 0; i < Values; i++)
        {
            _hashes[i] = random.Next();
        }
        Add();
        if (Found() != Values)
        {
            throw new InvalidOperationException("the filter lacks a value");
        }
    }

    [Benchmark(OperationsPerInvoke = Values)]
    public void Add() => Bloom.AddAll(_filter, _hashes);

    [Benchmark(OperationsPerInvoke = Values)]
    public int Found() => Count(0);

    [Benchmark(OperationsPerInvoke = Values)]
    public int Absent() => Count(0x9E3779B97F4A7C15UL);

    private int Count(ulong change)
    {
        var found = 0;
        foreach (var hash in _hashes)
        {
            found += Bloom.MayContain(_filter, hash ^ change) ? 1 : 0;
        }
        return found;
    }
}
