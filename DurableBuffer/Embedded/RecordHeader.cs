using System.Buffers.Binary;
using Apm.Telemetry;
using Apm.Telemetry.Files;

namespace Apm.DurableBuffer.Embedded;

/// <summary>What stands before every body in a segment, drawn in FORMAT.md.</summary>
internal readonly record struct RecordHeader(int BodyBytes, uint Crc, long Position, Signal Signal, BatchEncoding Encoding, ushort Tenant, long ReceivedUnixNano)
{
    public const int SizeBytes = 28;

    private const int CrcOffset = 4;
    private const int PositionOffset = 8;

    public long RecordBytes => SizeBytes + (long)BodyBytes;

    /// <summary>Writes header and checksum for the batch; the body follows it.</summary>
    public static void Encode(Span<byte> target, Batch batch, long position, uint seed)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, batch.Body.Length);
        BinaryPrimitives.WriteInt64LittleEndian(target[PositionOffset..], position);
        target[16] = (byte)batch.Signal;
        target[17] = (byte)batch.Encoding;
        BinaryPrimitives.WriteUInt16LittleEndian(target[18..], batch.Tenant);
        BinaryPrimitives.WriteInt64LittleEndian(target[20..], batch.ReceivedUnixNano);
        BinaryPrimitives.WriteUInt32LittleEndian(target[CrcOffset..], Crc32C.Append(HeaderCrc(target, seed), batch.Body.Span));
    }

    public static RecordHeader Decode(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt32LittleEndian(bytes),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[CrcOffset..]),
        PositionOf(bytes),
        (Signal)bytes[16],
        (BatchEncoding)bytes[17],
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[18..]),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[20..]));

    public static long PositionOf(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64LittleEndian(bytes[PositionOffset..]);

    /// <summary>The checksum of the length and of everything after the checksum, before the body.</summary>
    public static uint HeaderCrc(ReadOnlySpan<byte> bytes, uint seed) =>
        Crc32C.Append(Crc32C.Append(seed, bytes[..CrcOffset]), bytes[PositionOffset..SizeBytes]);
}
