using Apm.Storage.Embedded.Encodings;
using BenchmarkDotNet.Attributes;

namespace Apm.Bench;

/// <summary>One block of integers, of the kinds that parts have.</summary>
public class IntColumnBenchmarks
{
    private const int Rows = 8_192;

    private readonly long[] _values = new long[Rows];
    private readonly long[] _decoded = new long[Rows];
    private readonly ByteWriter _writer = new();
    private byte[] _encoded = [];
    private int _length;

    [Params("constant", "runs", "codes", "durations", "random")]
    public string Values { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        var random = new SeededRandom(3);
        for (var i = 0; i < Rows; i++)
        {
            _values[i] = Values switch
            {
                "constant" => 7,
                "runs" => i / 500,
                "codes" => random.Skewed(200),
                "durations" => (long)(5e6 * Math.Exp(1.1 * random.Normal())),
                _ => (long)random.Next(),
            };
        }
        _writer.Clear();
        IntColumn.Encode(_values, _writer);
        _length = _writer.Length;
        _encoded = new byte[_length + ChunkReader.SlackBytes];
        _writer.Written.CopyTo(_encoded);
        Decode();
        if (!_decoded.AsSpan().SequenceEqual(_values))
        {
            throw new InvalidOperationException("decoding gives other values");
        }
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public int Encode()
    {
        _writer.Clear();
        IntColumn.Encode(_values, _writer);
        return _writer.Length;
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public long Decode()
    {
        var reader = new ChunkReader(_encoded, _length, "bench", 0);
        IntColumn.Decode<long>(ref reader, _decoded);
        return _decoded[^1];
    }
}
