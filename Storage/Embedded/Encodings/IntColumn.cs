using System.Buffers.Binary;
using System.Numerics;

namespace Apm.Storage.Embedded.Encodings;

/// <summary>
/// A column of 64-bit integers in the smallest of five encodings (FORMAT.md "Integer column"). The number of values is not stored: the reader knows it.
/// Differences to the minimum wrap around, so any values fit. Loops switch on the encoding once for a column.
/// </summary>
internal static class IntColumn
{
    public const byte Constant = 0;
    public const byte Runs = 1;
    public const byte Packed = 2;
    public const byte FrameOfReference = 3;
    public const byte Raw = 4;

    /// <summary>Values in a frame of reference: each frame has its own base and width.</summary>
    public const int FrameValues = 128;

    /// <summary>Widest packed integer: with its shift of up to 7 bits it fits in one read of 8 bytes.</summary>
    private const int MaxPackedBits = 56;

    public static void Encode(ReadOnlySpan<long> values, ByteWriter writer)
    {
        if (values.IsEmpty)
        {
            return;
        }
        var plan = Plan.Of(values);
        writer.Byte(plan.Encoding);
        switch (plan.Encoding)
        {
            case Constant:
                writer.VarInt(values[0]);
                break;
            case Runs:
                writer.VarInt(plan.Minimum);
                WriteRuns(values, plan.Minimum, writer);
                break;
            case Packed:
                writer.VarInt(plan.Minimum);
                writer.Byte((byte)plan.Bits);
                WritePacked(values, plan.Minimum, plan.Bits, writer);
                break;
            case FrameOfReference:
                writer.VarInt(plan.Minimum);
                WriteFrames(values, plan.Minimum, writer);
                break;
            default:
                foreach (var value in values)
                {
                    writer.UInt64((ulong)value);
                }
                break;
        }
    }

    /// <summary>Reads <paramref name="values"/>.Length values; each is cut to the width of <typeparamref name="T"/>.</summary>
    public static void Decode<T>(ref ChunkReader reader, Span<T> values)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (values.IsEmpty)
        {
            return;
        }
        var encoding = reader.Byte();
        switch (encoding)
        {
            case Constant:
                values.Fill(T.CreateTruncating(reader.VarInt()));
                break;
            case Runs:
                ReadRuns(ref reader, reader.VarInt(), values);
                break;
            case Packed:
                var minimum = reader.VarInt();
                ReadPacked(ref reader, minimum, ReadBits(ref reader), values);
                break;
            case FrameOfReference:
                ReadFrames(ref reader, reader.VarInt(), values);
                break;
            case Raw:
                var bytes = reader.Bytes(checked(values.Length * 8));
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = T.CreateTruncating(BinaryPrimitives.ReadInt64LittleEndian(bytes[(i * 8)..]));
                }
                break;
            default:
                throw reader.Corrupt($"integer encoding {encoding} is unknown");
        }
    }

    private static int BitsOf(ulong value) => 64 - BitOperations.LeadingZeroCount(value);

    private static int PackedBytes(int count, int bits) => (int)(((long)count * bits + 7) / 8);

    private static void WriteRuns(ReadOnlySpan<long> values, long minimum, ByteWriter writer)
    {
        for (var start = 0; start < values.Length;)
        {
            var end = start + 1;
            while (end < values.Length && values[end] == values[start])
            {
                end++;
            }
            writer.VarUInt((ulong)(values[start] - minimum));
            writer.VarUInt((ulong)(end - start));
            start = end;
        }
    }

    private static void ReadRuns<T>(ref ChunkReader reader, long minimum, Span<T> values)
        where T : unmanaged, IBinaryInteger<T>
    {
        while (!values.IsEmpty)
        {
            var value = minimum + (long)reader.VarUInt();
            var length = reader.Count(values.Length);
            if (length == 0)
            {
                throw reader.Corrupt("a run is empty");
            }
            values[..length].Fill(T.CreateTruncating(value));
            values = values[length..];
        }
    }

    private static void WriteFrames(ReadOnlySpan<long> values, long minimum, ByteWriter writer)
    {
        for (var start = 0; start < values.Length; start += FrameValues)
        {
            var frame = values.Slice(start, Math.Min(FrameValues, values.Length - start));
            var (low, bits) = FrameRange(frame);
            writer.Byte((byte)bits);
            writer.VarUInt((ulong)(low - minimum));
            WritePacked(frame, low, bits, writer);
        }
    }

    private static void ReadFrames<T>(ref ChunkReader reader, long minimum, Span<T> values)
        where T : unmanaged, IBinaryInteger<T>
    {
        while (!values.IsEmpty)
        {
            var count = Math.Min(FrameValues, values.Length);
            var bits = ReadBits(ref reader);
            ReadPacked(ref reader, minimum + (long)reader.VarUInt(), bits, values[..count]);
            values = values[count..];
        }
    }

    private static int ReadBits(ref ChunkReader reader)
    {
        var bits = reader.Byte();
        return bits <= MaxPackedBits ? bits : throw reader.Corrupt($"{bits} bits in a packed integer are above {MaxPackedBits}");
    }

    private static void WritePacked(ReadOnlySpan<long> values, long minimum, int bits, ByteWriter writer)
    {
        ulong pending = 0;
        var pendingBits = 0;
        var target = writer.Take(PackedBytes(values.Length, bits));
        var at = 0;
        foreach (var value in values)
        {
            pending |= (ulong)(value - minimum) << pendingBits;
            pendingBits += bits;
            while (pendingBits >= 8)
            {
                target[at++] = (byte)pending;
                pending >>= 8;
                pendingBits -= 8;
            }
        }
        if (pendingBits > 0)
        {
            target[at] = (byte)pending;
        }
    }

    private static void ReadPacked<T>(ref ChunkReader reader, long minimum, int bits, Span<T> values)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (bits == 0)
        {
            values.Fill(T.CreateTruncating(minimum));
            return;
        }
        var bytes = reader.BytesAndSlack(PackedBytes(values.Length, bits));
        var mask = (1UL << bits) - 1;
        var i = PackedLanes.Read(bytes, minimum, bits, values);
        for (var bit = i * bits; i < values.Length; i++)
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(bit >> 3)..]);
            values[i] = T.CreateTruncating(minimum + (long)((word >> (bit & 7)) & mask));
            bit += bits;
        }
    }

    private static (long Low, int Bits) FrameRange(ReadOnlySpan<long> frame)
    {
        var (low, high) = (frame[0], frame[0]);
        foreach (var value in frame)
        {
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }
        return (low, BitsOf((ulong)(high - low)));
    }

    /// <summary>Which encoding is smallest for some values: a pure function of them.</summary>
    private readonly record struct Plan(byte Encoding, long Minimum, int Bits)
    {
        public static Plan Of(ReadOnlySpan<long> values)
        {
            var (low, high) = (values[0], values[0]);
            foreach (var value in values)
            {
                low = Math.Min(low, value);
                high = Math.Max(high, value);
            }
            if (low == high)
            {
                return new Plan(Constant, low, 0);
            }
            var bits = BitsOf((ulong)(high - low));
            var best = new Plan(Raw, 0, 64);
            var bestBytes = values.Length * 8L;
            if (bits <= MaxPackedBits && PackedBytes(values.Length, bits) + 1L < bestBytes)
            {
                best = new Plan(Packed, low, bits);
                bestBytes = PackedBytes(values.Length, bits) + 1L;
            }
            var frames = FramesBytes(values, low);
            if (frames < bestBytes)
            {
                best = new Plan(FrameOfReference, low, 0);
                bestBytes = frames;
            }
            return RunsBytes(values, low, bestBytes) < bestBytes ? new Plan(Runs, low, 0) : best;
        }

        private static long FramesBytes(ReadOnlySpan<long> values, long minimum)
        {
            long bytes = 0;
            for (var start = 0; start < values.Length; start += FrameValues)
            {
                var frame = values.Slice(start, Math.Min(FrameValues, values.Length - start));
                var (low, bits) = FrameRange(frame);
                if (bits > MaxPackedBits)
                {
                    return long.MaxValue;
                }
                bytes += 1 + ByteWriter.VarUIntSize((ulong)(low - minimum)) + PackedBytes(frame.Length, bits);
            }
            return bytes;
        }

        /// <summary>Stops counting at <paramref name="limit"/>.</summary>
        private static long RunsBytes(ReadOnlySpan<long> values, long minimum, long limit)
        {
            long bytes = 0;
            for (var start = 0; start < values.Length && bytes < limit;)
            {
                var end = start + 1;
                while (end < values.Length && values[end] == values[start])
                {
                    end++;
                }
                bytes += ByteWriter.VarUIntSize((ulong)(values[start] - minimum)) + ByteWriter.VarUIntSize((ulong)(end - start));
                start = end;
            }
            return bytes;
        }
    }
}
