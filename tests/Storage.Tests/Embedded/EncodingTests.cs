using Apm.Storage.Embedded.Encodings;

namespace Apm.Storage.Tests.Embedded;

public sealed class EncodingTests
{
    public static TheoryData<string, long[], byte> Columns => new()
    {
        { "one value", [42], IntColumn.Constant },
        { "constant", [.. Enumerable.Repeat(-7L, 500)], IntColumn.Constant },
        { "runs", [.. Enumerable.Range(0, 900).Select(i => (long)(i / 300 * 1_000_000))], IntColumn.Runs },
        { "few bits", [.. Enumerable.Range(0, 1_000).Select(i => (i * 7919L) % 13)], IntColumn.Packed },
        { "slopes", [.. Enumerable.Range(0, 1_000).Select(i => (i * 1_000_000_000L) + (i * 37 % 91))], IntColumn.FrameOfReference },
        { "extremes", [long.MinValue, long.MaxValue, 0, -1, 1], IntColumn.Raw },
    };

    [Theory]
    [MemberData(nameof(Columns))]
    public void IntColumn_Values_ChooseTheSmallestEncodingAndComeBack(string what, long[] values, byte encoding)
    {
        var writer = new ByteWriter();
        IntColumn.Encode(values, writer);
        Assert.True(encoding == writer.Written[0], $"{what} took encoding {writer.Written[0]}");
        Assert.Equal(values, Decode(writer, values.Length));
    }

    [Fact]
    public void IntColumn_RandomValues_ComeBack()
    {
        var random = new Random(1);
        for (var round = 0; round < 400; round++)
        {
            var bits = random.Next(65);
            var values = new long[random.Next(1, 700)];
            long last = 0;
            foreach (ref var value in values.AsSpan())
            {
                last = random.Next(3) == 0 ? last : random.NextInt64(long.MinValue, long.MaxValue) >> (64 - Math.Max(bits, 1));
                value = last;
            }
            var writer = new ByteWriter();
            IntColumn.Encode(values, writer);
            Assert.Equal(values, Decode(writer, values.Length));
            Assert.Equal(values.Select(value => unchecked((int)value)), Decode<int>(writer, values.Length));
            Assert.Equal(values.Select(value => unchecked((byte)value)), Decode<byte>(writer, values.Length));
        }
    }

    [Fact]
    public void IntColumn_AnyBytes_DecodeOrAreCorrupt()
    {
        var random = new Random(2);
        for (var round = 0; round < 3_000; round++)
        {
            var bytes = new byte[random.Next(40) + ChunkReader.SlackBytes];
            random.NextBytes(bytes);
            bytes[0] = (byte)random.Next(6);
            try
            {
                var reader = new ChunkReader(bytes, bytes.Length - ChunkReader.SlackBytes, "x", 0);
                IntColumn.Decode<long>(ref reader, new long[random.Next(1, 300)]);
            }
            catch (CorruptPartException)
            {
                continue;
            }
        }
    }

    [Fact]
    public void LzBlock_RandomTexts_ComeBack()
    {
        var random = new Random(3);
        var lz = new LzBlock();
        for (var round = 0; round < 500; round++)
        {
            var source = new byte[random.Next(round < 100 ? 40 : 20_000)];
            for (var i = 0; i < source.Length; i++)
            {
                source[i] = random.Next(4) == 0 || i < 9 ? (byte)random.Next(1 + (round % 256)) : source[i - 1 - random.Next(Math.Min(i, 8))];
            }
            var packed = new byte[LzBlock.MaxCompressedBytes(source.Length)];
            var length = lz.Compress(source, packed);
            var unpacked = new byte[source.Length];
            Assert.True(LzBlock.TryDecompress(packed.AsSpan(0, length), unpacked));
            Assert.Equal(source, unpacked);
        }
    }

    [Fact]
    public void LzBlock_AnyBytes_UnpackOrAreRefused()
    {
        var random = new Random(4);
        for (var round = 0; round < 5_000; round++)
        {
            var bytes = new byte[random.Next(60)];
            random.NextBytes(bytes);
            LzBlock.TryDecompress(bytes, new byte[random.Next(200)]);
        }
    }

    [Fact]
    public void Bloom_AddedValues_AreFoundAndFewOthers()
    {
        var random = new Random(5);
        var values = Enumerable.Range(0, 5_000).Select(_ => ValueHash.OfBytes(BitConverter.GetBytes(random.NextInt64()), 1)).ToArray();
        var filter = new byte[Bloom.SizeBytes(values.Length)];
        Bloom.AddAll(filter, values);
        Assert.All(values, value => Assert.True(Bloom.MayContain(filter, value)));
        var seen = Enumerable.Range(0, 20_000).Count(i => Bloom.MayContain(filter, ValueHash.OfBytes(BitConverter.GetBytes(i), 2)));
        Assert.InRange(seen, 0, 400);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(900)]
    public void Bloom_HashesWhoseProbesWrapAround_AreAtTheBitsOfTheFormat(int count)
    {
        var hashes = Enumerable.Range(0, count).Select(i => ulong.MaxValue - ((ulong)i * 0x3_0000_0001)).Append(0UL).Append(1UL << 63).ToArray();
        var filter = new byte[Bloom.SizeBytes(hashes.Length)];
        var expected = new byte[filter.Length];
        foreach (var hash in hashes)
        {
            for (ulong probe = 0; probe < Bloom.Probes; probe++)
            {
                var bit = unchecked(hash + (probe * ((hash >> 32) | 1))) % ((ulong)filter.Length * 8);
                expected[bit >> 3] |= (byte)(1 << (int)(bit & 7));
            }
        }
        Bloom.AddAll(filter, hashes);
        Assert.Equal(expected, filter);
    }

    [Fact]
    public void HashCollection_AnyHashes_HoldsEachOnce()
    {
        var random = new Random(6);
        var hashes = new HashCollection();
        for (var round = 0; round < 3; round++)
        {
            // Many share their lowest bits.
            var added = Enumerable.Range(0, 3_000).Select(_ => (ulong)random.Next(2_000) << random.Next(60)).ToArray();
            foreach (var hash in added)
            {
                hashes.Add(hash);
            }
            Assert.Equal(added.Distinct(), hashes.Values.ToArray());
            hashes.Clear();
            Assert.Equal(0, hashes.Count);
        }
    }

    /// <summary>The hash is on disk: these numbers may change only with the format's version.</summary>
    [Fact]
    public void ValueHash_KnownValues_NeverChange()
    {
        Assert.Equal(
            Golden,
            new ulong[] { ValueHash.OfBytes("checkout"u8, 1), ValueHash.OfBytes("a longer text than eight bytes"u8, 1), ValueHash.Of(Telemetry.Attributes.AttributeType.Int64, 200, default) });
    }

    private static readonly ulong[] Golden = [12735502750688429563, 13818575948580080078, 5594573143441579558];

    private static long[] Decode(ByteWriter writer, int count) => Decode<long>(writer, count);

    private static T[] Decode<T>(ByteWriter writer, int count)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        var buffer = new byte[writer.Length + ChunkReader.SlackBytes];
        writer.Written.CopyTo(buffer);
        var reader = new ChunkReader(buffer, writer.Length, "x", 0);
        var values = new T[count];
        IntColumn.Decode<T>(ref reader, values);
        reader.ExpectEnd();
        return values;
    }
}
