using Apm.Storage.Embedded.Encodings;
using BenchmarkDotNet.Attributes;

namespace Apm.Bench;

/// <summary>A chunk of text as spans have it: URLs with ids. An operation is a byte of the text.</summary>
public class LzBlockBenchmarks
{
    private const int Bytes = 256 << 10;

    private readonly LzBlock _block = new();
    private readonly byte[] _text = new byte[Bytes];
    private readonly byte[] _unpacked = new byte[Bytes];
    private readonly byte[] _packed = new byte[LzBlock.MaxCompressedBytes(Bytes)];
    private int _length;

    [GlobalSetup]
    public void Setup()
    {
        var random = new SeededRandom(3);
        for (var at = 0; at < Bytes;)
        {
            var url = System.Text.Encoding.UTF8.GetBytes($"https://{Shop.Services[random.Below(Shop.Services.Count)]}.shop.svc.cluster.local:8080/api/v1/orders/{random.Below(2_000_000)}");
            var length = Math.Min(url.Length, Bytes - at);
            url.AsSpan(0, length).CopyTo(_text.AsSpan(at));
            at += length;
        }
        Compress();
        if (!Decompress() || !_unpacked.AsSpan().SequenceEqual(_text))
        {
            throw new InvalidOperationException("unpacking gives another text");
        }
    }

    [Benchmark(OperationsPerInvoke = Bytes)]
    public int Compress() => _length = _block.Compress(_text, _packed);

    [Benchmark(OperationsPerInvoke = Bytes)]
    public bool Decompress() => LzBlock.TryDecompress(_packed.AsSpan(0, _length), _unpacked);
}
