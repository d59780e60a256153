using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.TestKit;
using FsCheck;
using FsCheck.Fluent;

namespace Apm.Storage.Tests.Properties;

/// <summary>What is encoded comes back, whatever it is.</summary>
public sealed class EncodingPropertyTests
{
    private static readonly Gen<long> s_extremes = Gen.Elements(long.MinValue, long.MinValue + 1, -1L, 0L, 1L, long.MaxValue - 1, long.MaxValue, 1L << 56, -(1L << 56), 1L << 32, (1L << 53) + 1);
    private static readonly Gen<long> s_wide = Gen.Choose(0, 63).SelectMany(bits => ArbMap.Default.GeneratorFor<long>().Select(seed => (seed * unchecked((long)0x9E3779B97F4A7C15)) >> bits));

    /// <summary>Columns of the kinds that each encoding is for, and of any.</summary>
    private static readonly Gen<long[]> s_columns = Gen.OneOf(
        Gen.OneOf(s_wide, s_extremes).ArrayOf(),
        s_wide.SelectMany(value => Gen.Choose(1, 600).Select(count => Enumerable.Repeat(value, count).ToArray())),
        s_wide.SelectMany(value => Gen.Choose(1, 90)).ArrayOf(6).SelectMany(counts => s_wide.ArrayOf(6).Select(values => values.Zip(counts, (value, count) => Enumerable.Repeat(value, count)).SelectMany(run => run).ToArray())),
        Gen.Choose(0, 56).SelectMany(bits => Gen.Choose(1, 700).SelectMany(count => s_wide.ArrayOf(count).Select(values => values.Select(value => value & ((1L << bits) - 1)).ToArray()))),
        s_wide.SelectMany(slope => Gen.Choose(1, 900).SelectMany(count => Gen.Choose(0, 90).ArrayOf(count).Select(noise => noise.Select((add, i) => unchecked((i * slope) + add)).ToArray()))));

    private static readonly Gen<byte[]> s_bytes = Gen.OneOf(
        Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf(),
        Gen.Choose(0, 3).Select(value => (byte)value).ArrayOf(2_000),
        Gen.Choose(97, 104).Select(value => (byte)value).ArrayOf(12).SelectMany(word => Gen.Choose(0, 12).ArrayOf(400).Select(cuts => cuts.SelectMany(cut => word.Take(cut)).ToArray())));

    private static readonly Gen<AttributeValue> s_values = Gen.OneOf(
        Gen.Constant(AttributeValue.Empty),
        Gen.Elements(true, false).Select(AttributeValue.FromBool),
        Gen.OneOf(s_wide, s_extremes).Select(AttributeValue.FromInt64),
        ArbMap.Default.GeneratorFor<double>().Select(AttributeValue.FromDouble),
        s_bytes.Select(bytes => AttributeValue.FromContent(AttributeType.String, bytes)),
        Gen.Elements(AttributeType.Bytes, AttributeType.Array, AttributeType.KeyValueList).SelectMany(type => s_bytes.Select(bytes => AttributeValue.FromContent(type, bytes))));

    [Fact]
    public void IntColumn_AnyValues_ComeBackAndEveryEncodingIsUsed()
    {
        var used = new HashSet<byte>();
        Property.Holds(s_columns, values =>
        {
            var writer = new ByteWriter();
            IntColumn.Encode(values, writer);
            if (values.Length > 0)
            {
                used.Add(writer.Written[0]);
            }
            var back = new long[values.Length];
            var reader = Reader(writer);
            IntColumn.Decode<long>(ref reader, back);
            reader.ExpectEnd();
            return values.AsSpan().SequenceEqual(back) && writer.Length <= 1 + (8 * values.Length) + 10;
        }, count: 1_000);
        Assert.Equal([IntColumn.Constant, IntColumn.Runs, IntColumn.Packed, IntColumn.FrameOfReference, IntColumn.Raw], used.Order());
    }

    [Fact]
    public void IntColumn_NarrowerTypes_GetTheLowBits() => Property.Holds(s_columns, values =>
    {
        var writer = new ByteWriter();
        IntColumn.Encode(values, writer);
        var (bytes, ints) = (new byte[values.Length], new int[values.Length]);
        var reader = Reader(writer);
        IntColumn.Decode<byte>(ref reader, bytes);
        reader = Reader(writer);
        IntColumn.Decode<int>(ref reader, ints);
        return bytes.AsSpan().SequenceEqual(values.Select(value => unchecked((byte)value)).ToArray()) && ints.AsSpan().SequenceEqual(values.Select(value => unchecked((int)value)).ToArray());
    });

    [Fact]
    public void ValueList_AnyValues_ComeBack() => Property.Holds(s_values.ArrayOf(), values =>
    {
        var strings = new StringTable();
        var list = new ValueListWriter();
        foreach (var value in values)
        {
            list.Add(value.Type, value.Type.HasContent() ? strings.Intern(value.Content) : value.Bits, strings);
        }
        var writer = new ByteWriter();
        list.WriteTo(writer);
        var reader = Reader(writer);
        var back = ValueList.Decode(ref reader, values.Length);
        reader.ExpectEnd();
        for (var i = 0; i < values.Length; i++)
        {
            if (back.GetType(i) != values[i].Type || (values[i].Type.HasContent() ? !back.GetContent(i).SequenceEqual(values[i].Content) : back.GetBits(i) != values[i].Bits))
            {
                return false;
            }
        }
        return true;
    });

    [Fact]
    public void LzBlock_AnyBytes_ComeBack()
    {
        var lz = new LzBlock();
        Property.Holds(s_bytes, bytes =>
        {
            var packed = new byte[LzBlock.MaxCompressedBytes(bytes.Length)];
            var length = lz.Compress(bytes, packed);
            var back = new byte[bytes.Length];
            return LzBlock.TryDecompress(packed.AsSpan(0, length), back) && bytes.AsSpan().SequenceEqual(back);
        });
    }

    [Fact]
    public void LzBlock_CutShort_IsRefused()
    {
        var lz = new LzBlock();
        Property.Holds(s_bytes.SelectMany(bytes => Gen.Choose(0, 100).Select(share => (bytes, share))), given =>
        {
            var packed = new byte[LzBlock.MaxCompressedBytes(given.bytes.Length)];
            var length = lz.Compress(given.bytes, packed);
            var back = new byte[given.bytes.Length];
            var cut = length * given.share / 100;
            return given.bytes.Length == 0 || cut == length || !LzBlock.TryDecompress(packed.AsSpan(0, cut), back);
        });
    }

    [Fact]
    public void Chunks_AnyContentsAndCodecs_ComeBackFromTheirPlaces() => Property.Holds(
        Gen.OneOf(Gen.Constant((int?)null), Gen.Choose(0, 5).Select(quality => (int?)quality)).SelectMany(quality => s_bytes.ArrayOf().Select(contents => (quality, contents))), given =>
    {
        var disk = new MemoryFileSystem();
        var references = new List<ChunkRef>();
        using var file = disk.Create("chunks");
        var chunks = new ChunkWriter(file, given.quality);
        chunks.Write(new byte[PartFormat.HeaderBytes]);
        var encoded = new ByteWriter();
        long expected = 0;
        foreach (var content in given.contents)
        {
            var chunk = new ByteWriter();
            chunk.Bytes(content);
            references.Add(references.Count % 2 == 0 ? chunks.AppendText(chunk) : chunks.Append(chunk));
            ChunkRefCodec.Write(encoded, references[^1], ref expected);
        }
        chunks.Flush();
        var reader = Reader(encoded);
        expected = 0;
        foreach (var (content, reference) in given.contents.Zip(references))
        {
            if (ChunkRefCodec.Read(ref reader, ref expected) != reference)
            {
                return false;
            }
            var stored = new byte[reference.StoredBytes];
            file.Read(stored, reference.Offset);
            var back = new byte[reference.Bytes];
            var unpacked = reference.Codec switch
            {
                ChunkCodec.Plain => stored.AsSpan().TryCopyTo(back),
                ChunkCodec.Lz => LzBlock.TryDecompress(stored, back),
                _ => System.IO.Compression.BrotliDecoder.TryDecompress(stored, back, out var written) && written == back.Length,
            };
            if (!unpacked || !content.AsSpan().SequenceEqual(back))
            {
                return false;
            }
        }
        reader.ExpectEnd();
        return true;
    }, count: 100);

    [Fact]
    public void Parents_AnyTraces_ComeBack() => Property.Holds(
        Gen.Choose(1, 40).ArrayOf().SelectMany(runs => ArbMap.Default.GeneratorFor<int>().Select(seed => (runs, seed))), given =>
    {
        var random = new Random(given.seed);
        var rows = given.runs.Sum();
        var starts = new int[given.runs.Length + 1];
        for (var i = 0; i < given.runs.Length; i++)
        {
            starts[i + 1] = starts[i] + given.runs[i];
        }
        // Ids repeat and parents are anywhere: in the row's trace, in another, in none, the row itself.
        var spans = Enumerable.Range(0, rows).Select(_ => new SpanId((ulong)random.Next(0, 1 + (rows * 2)))).ToArray();
        var parents = Enumerable.Range(0, rows).Select(row => random.Next(4) switch { 0 => default, 1 => spans[row], 2 => new SpanId((ulong)random.NextInt64()), _ => spans[random.Next(rows)] }).ToArray();
        var writer = new ByteWriter();
        var any = new ParentEncoder().Encode(spans, parents, starts, 0, new long[rows], writer);
        if (!any)
        {
            return parents.All(parent => parent.IsZero);
        }
        var reader = Reader(writer);
        var back = new SpanId[rows];
        ParentEncoder.Decode(ref reader, spans, back);
        return parents.SequenceEqual(back);
    });

    [Fact]
    public void TraceIndex_AnyEntries_FindsEachAndNothingElse() => Property.Holds(
        Gen.Choose(0, 5_000).SelectMany(id => Gen.Choose(0, 30).Select(block => (Id: (ulong)id * 0x9E3779B97F4A7C15, Block: block))).ArrayOf(2_000), entries =>
    {
        var disk = new MemoryFileSystem();
        using var file = disk.Create("index");
        var chunks = new ChunkWriter(file);
        var pages = TraceIndexWriter.Write([.. entries], chunks, new ByteWriter());
        chunks.Flush();
        var found = new List<(ulong, int)>();
        foreach (var page in pages)
        {
            var stored = new byte[page.Chunk.StoredBytes];
            file.Read(stored, page.Chunk.Offset);
            var content = new byte[page.Chunk.Bytes + ChunkReader.SlackBytes];
            Assert.True(page.Chunk.Codec == ChunkCodec.Plain ? stored.AsSpan().TryCopyTo(content) : LzBlock.TryDecompress(stored, content.AsSpan(0, page.Chunk.Bytes)));
            var reader = new ChunkReader(content, page.Chunk.Bytes, "x", 0);
            var decoded = TracePage.Decode(ref reader, page.Entries, 31);
            Assert.Equal(page.FirstId, decoded.Id(0));
            var blocks = new List<int>();
            decoded.Find(decoded.Id(0), blocks);
            Assert.Contains(decoded.Block(0), blocks);
            found.AddRange(Enumerable.Range(0, decoded.Count).Select(i => (decoded.Id(i), decoded.Block(i))));
        }
        return found.SequenceEqual(entries.Distinct().Order());
    }, count: 50);

    [Fact]
    public void Bloom_AnyValues_AreFound() => Property.Holds(s_wide.ArrayOf(), values =>
    {
        var filter = new byte[Bloom.SizeBytes(values.Length)];
        Bloom.AddAll(filter, Array.ConvertAll(values, value => ValueHash.Of(AttributeType.Int64, value, default)));
        return values.All(value => Bloom.MayContain(filter, ValueHash.Of(AttributeType.Int64, value, default)));
    });

    [Fact]
    public void DurationHistogram_AnyDurations_AddUpAndBoundTheirQuantiles() => Property.Holds(
        Gen.Choose(0, 62).SelectMany(bits => ArbMap.Default.GeneratorFor<long>().Select(seed => (long)((ulong)(seed * unchecked((long)0x9E3779B97F4A7C15)) >> (64 - bits)) & long.MaxValue)).ArrayOf(), durations =>
    {
        var (whole, left, right) = (new DurationHistogram(), new DurationHistogram(), new DurationHistogram());
        for (var i = 0; i < durations.Length; i++)
        {
            whole.Record(durations[i]);
            (i % 3 == 0 ? left : right).Record(durations[i]);
            var bucket = DurationHistogram.BucketOf(durations[i]);
            if (durations[i] < DurationHistogram.LowerBoundNano(bucket) || (bucket + 1 < DurationHistogram.BucketOf(long.MaxValue) && durations[i] >= DurationHistogram.LowerBoundNano(bucket + 1)))
            {
                return false;
            }
        }
        left.Add(right);
        var same = left.Count == whole.Count && left.SumNano == whole.SumNano && left.MaxNano == whole.MaxNano && left.Counts.TrimEnd(0).SequenceEqual(whole.Counts.TrimEnd(0));
        if (durations.Length == 0)
        {
            return same;
        }
        var sorted = durations.Order().ToArray();
        return same && new[] { 0.5, 0.9, 0.99 }.All(quantile =>
        {
            var exact = sorted[Math.Min(sorted.Length - 1, Math.Max(0, (int)Math.Ceiling(quantile * sorted.Length) - 1))];
            var bucket = DurationHistogram.BucketOf(whole.QuantileNano(quantile));
            return Math.Abs(bucket - DurationHistogram.BucketOf(exact)) <= 1;
        });
    });

    private static ChunkReader Reader(ByteWriter writer)
    {
        var buffer = new byte[writer.Length + ChunkReader.SlackBytes];
        writer.Written.CopyTo(buffer);
        return new ChunkReader(buffer, writer.Length, "x", 0);
    }
}
