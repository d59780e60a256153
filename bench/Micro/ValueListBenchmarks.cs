using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry.Attributes;
using BenchmarkDotNet.Attributes;

namespace Apm.Bench;

/// <summary>A block's worth of distinct strings.</summary>
public class ValueListBenchmarks
{
    private const int Values = 8_192;

    private readonly ValueListWriter _list = new();
    private readonly ByteWriter _writer = new();
    private readonly byte[][] _values = new byte[Values][];
    private byte[] _encoded = [];
    private int _length;

    [GlobalSetup]
    public void Setup()
    {
        var random = new SeededRandom(3);
        for (var i = 0; i < Values; i++)
        {
            _values[i] = System.Text.Encoding.UTF8.GetBytes($"ord-{random.Next() & 0xffffffffffff:x12}");
        }
        _length = Encode();
        _encoded = new byte[_length + ChunkReader.SlackBytes];
        _writer.Written.CopyTo(_encoded);
        if (Decode() != Values)
        {
            throw new InvalidOperationException("decoding gives another number of values");
        }
    }

    [Benchmark(OperationsPerInvoke = Values)]
    public int Encode()
    {
        _list.Clear();
        _writer.Clear();
        foreach (var value in _values)
        {
            _list.AddContent(AttributeType.String, value);
        }
        _list.WriteTo(_writer);
        return _writer.Length;
    }

    [Benchmark(OperationsPerInvoke = Values)]
    public int Decode()
    {
        var reader = new ChunkReader(_encoded, _length, "bench", 0);
        return ValueList.Decode(ref reader, Values).Count;
    }
}
