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
        foreach (var value in values)
        {
            var difference = (ulong)(value - minimum);
            pending |= difference << pendingBits;
            pendingBits += bits;
            if (pendingBits >= 64)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(target, pending);
                target = target[sizeof(ulong)..];
                pendingBits -= 64;
                // At most 56 bits a value, so that the shift is at least 8 when something is left of this one.
                pending = pendingBits == 0 ? 0 : difference >> (bits - pendingBits);
            }
        }
        foreach (ref var last in target)
        {
            last = (byte)pending;
            pending >>= 8;
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
        var (low, high) = Range(frame);
        return (low, BitsOf((ulong)(high - low)));
    }

    /// <summary>The least and the greatest of the values, of which there is at least one.</summary>
    public static (long Low, long High) Range(ReadOnlySpan<long> values)
    {
        var (low, high) = (values[0], values[0]);
        if (values.Length >= 2 * Vector<long>.Count)
        {
            var (lows, highs) = (new Vector<long>(values), new Vector<long>(values));
            for (; values.Length >= Vector<long>.Count; values = values[Vector<long>.Count..])
            {
                var some = new Vector<long>(values);
                lows = Vector.Min(lows, some);
                highs = Vector.Max(highs, some);
            }
            for (var i = 0; i < Vector<long>.Count; i++)
            {
                low = Math.Min(low, lows[i]);
                high = Math.Max(high, highs[i]);
            }
        }
        foreach (var value in values)
        {
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }
        return (low, high);
    }

    /// <summary>Stretches of equal values.</summary>
    private static int CountRuns(ReadOnlySpan<long> values)
    {
        var next = values[1..];
        var changes = Vector<long>.Zero;
        for (; next.Length >= Vector<long>.Count; next = next[Vector<long>.Count..], values = values[Vector<long>.Count..])
        {
            changes += Vector.OnesComplement(Vector.Equals(new Vector<long>(values), new Vector<long>(next)));
        }
        // Each difference has added -1.
        var runs = 1 - (int)Vector.Sum(changes);
        for (var i = 0; i < next.Length; i++)
        {
            runs += next[i] != values[i] ? 1 : 0;
        }
        return runs;
    }

    /// <summary>Which encoding is smallest for some values: a pure function of them.</summary>
    private readonly record struct Plan(byte Encoding, long Minimum, int Bits)
    {
        public static Plan Of(ReadOnlySpan<long> values)
        {
            var (low, high) = Range(values);
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
            // A run takes two bytes or more.
            return CountRuns(values) * 2L < bestBytes && RunsBytes(values, low, bestBytes) < bestBytes ? new Plan(Runs, low, 0) : best;
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
