using System.Buffers.Binary;
using Apm.Telemetry.Files;

namespace Apm.DurableBuffer.Embedded;

/// <summary>
/// What a segment file begins with, drawn in FORMAT.md. Written twice, in sectors of their own, so that one damaged byte does not cost the segment.
/// </summary>
/// <param name="Generation">Counts the uses of segment files in this log, from 1; also the file's name.</param>
/// <param name="FirstPosition">The position of the first record; records of older generations from this position on are superseded.</param>
/// <param name="PrecedingPosition">The last position handed out before this segment; lower than <paramref name="FirstPosition"/> - 1 where positions were skipped on purpose.</param>
/// <param name="Salt">Random, so that no sender can forge a record inside a body.</param>
/// <param name="CreatedUnixNano">When the segment came into use; for people who look at it.</param>
internal readonly record struct SegmentHeader(ulong Generation, long FirstPosition, long PrecedingPosition, ulong Salt, long CreatedUnixNano)
{
    public const uint Version = 1;

    /// <summary>Encoded bytes of one copy.</summary>
    public const int SizeBytes = 64;

    /// <summary>Where the second copy begins: another sector, whether sectors have 512 or 2,048 bytes.</summary>
    public const int CopyOffset = 2048;

    /// <summary>Where records begin: after one page, which no record's write touches.</summary>
    public const int PageBytes = 4096;

    private const int CrcOffset = SizeBytes - sizeof(uint);

    private static ReadOnlySpan<byte> Magic => "APMLOG\r\n"u8;

    /// <summary>Where the checksums of this segment's records begin. Differs between any two uses of one file, so that records left from the last use fail.</summary>
    public uint RecordSeed
    {
        get
        {
            Span<byte> bytes = stackalloc byte[16];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, Generation);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Salt);
            return Crc32C.Compute(bytes);
        }
    }

    /// <summary>Writes the page of <see cref="PageBytes"/> bytes, both copies.</summary>
    public void Encode(Span<byte> page)
    {
        page[..PageBytes].Clear();
        Magic.CopyTo(page);
        BinaryPrimitives.WriteUInt32LittleEndian(page[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(page[12..], SizeBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(page[16..], Generation);
        BinaryPrimitives.WriteInt64LittleEndian(page[24..], FirstPosition);
        BinaryPrimitives.WriteInt64LittleEndian(page[32..], PrecedingPosition);
        BinaryPrimitives.WriteUInt64LittleEndian(page[40..], Salt);
        BinaryPrimitives.WriteInt64LittleEndian(page[48..], CreatedUnixNano);
        BinaryPrimitives.WriteUInt32LittleEndian(page[CrcOffset..], Crc32C.Compute(page[..CrcOffset]));
        page[..SizeBytes].CopyTo(page[CopyOffset..]);
    }

    /// <summary>Reads the copy that is whole; of two whole ones the newer. False when neither is.</summary>
    /// <exception cref="NewerFormatException">Both copies are of a newer version than this program knows.</exception>
    public static bool TryDecode(ReadOnlySpan<byte> page, string path, out SegmentHeader header)
    {
        header = default;
        if (page.Length < PageBytes)
        {
            return false;
        }
        var first = TryDecodeCopy(page[..SizeBytes], out var one, out var firstVersion);
        var second = TryDecodeCopy(page.Slice(CopyOffset, SizeBytes), out var two, out var secondVersion);
        if (!first && !second)
        {
            return firstVersion > Version && firstVersion == secondVersion ? throw new NewerFormatException(path, firstVersion, Version) : false;
        }
        header = first && (!second || one.Generation >= two.Generation) ? one : two;
        return true;
    }

    /// <summary>Which of the copies is whole, and the same as the other where both are.</summary>
    public static (bool First, bool Second) CheckCopies(ReadOnlySpan<byte> page)
    {
        if (page.Length < PageBytes)
        {
            return (false, false);
        }
        var first = TryDecodeCopy(page[..SizeBytes], out var one, out _);
        var second = TryDecodeCopy(page.Slice(CopyOffset, SizeBytes), out var two, out _);
        return (first && (!second || one.Generation >= two.Generation), second && (!first || two.Generation >= one.Generation));
    }

    private static bool TryDecodeCopy(ReadOnlySpan<byte> bytes, out SegmentHeader header, out uint version)
    {
        header = default;
        version = 0;
        if (!bytes.StartsWith(Magic))
        {
            return false;
        }
        version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (version != Version || BinaryPrimitives.ReadUInt32LittleEndian(bytes[CrcOffset..]) != Crc32C.Compute(bytes[..CrcOffset]))
        {
            return false;
        }
        header = new SegmentHeader(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[48..]));
        return true;
    }
}

/// <summary>The log was written by a newer version of the program; opening it with this one would lose data.</summary>
public sealed class NewerFormatException(string path, uint version, uint known)
    : IOException(FormattableString.Invariant($"'{path}' has format version {version}, this program knows up to {known}: start the newer version, which wrote it."));
