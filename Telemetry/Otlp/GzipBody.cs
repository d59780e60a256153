using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Apm.Telemetry.Otlp;

/// <summary>
/// Decompresses gzip bodies (RFC 1952, members joined too). GZipStream verifies each member's CRC, but takes a body that ends early for a whole one, so
/// the end is compared with the last member's trailer here.
/// </summary>
public static class GzipBody
{
    /// <summary>A gzip member without content: header 10, empty block 2, trailer 8 bytes.</summary>
    private const int MinMemberBytes = 20;

    /// <summary>CRC32 and length of the content.</summary>
    private const int TrailerBytes = 8;

    /// <summary>Deflate cannot do better than about 1032 to 1, so a trailer that claims more lies.</summary>
    private const int MaxRatio = 1032;

    /// <summary>A first guess when the trailer is no help.</summary>
    private const int MinBufferBytes = 4096;

    /// <param name="maxBytes">Most bytes of content; no buffer larger than this is asked for (the pool may round up).</param>
    /// <returns>Pooled memory of exactly the content's length; the caller disposes it.</returns>
    /// <exception cref="MalformedOtlpException">Damaged, cut short, or not gzip.</exception>
    /// <exception cref="BodyTooLargeException">More than <paramref name="maxBytes"/>.</exception>
    public static IMemoryOwner<byte> Decompress(ReadOnlyMemory<byte> body, int maxBytes)
    {
        if (body.Length < MinMemberBytes)
        {
            throw new MalformedOtlpException($"a gzip body of {body.Length} bytes is cut short");
        }
        var claimed = BinaryPrimitives.ReadUInt32LittleEndian(body.Span[^4..]);
        var possible = Math.Min(maxBytes, (long)body.Length * MaxRatio);
        var buffer = BodyArrays.Rent((int)Math.Clamp(claimed, Math.Min(MinBufferBytes, possible), possible));
        try
        {
            var length = Fill(body, ref buffer, maxBytes);
            if (!EndsWhole(body.Span, buffer.AsSpan(0, length)))
            {
                throw new MalformedOtlpException($"the gzip body is cut short or followed by other bytes, after {length} bytes of content");
            }
            var owner = new PooledBody(buffer, length);
            buffer = null;
            return owner;
        }
        finally
        {
            if (buffer is not null)
            {
                BodyArrays.Return(buffer);
            }
        }
    }

    private static int Fill(ReadOnlyMemory<byte> body, ref byte[] buffer, int maxBytes)
    {
        var array = MemoryMarshal.TryGetArray(body, out var segment) ? segment : new ArraySegment<byte>(body.ToArray());
        using var gzip = new GZipStream(new MemoryStream(array.Array!, array.Offset, array.Count, writable: false), CompressionMode.Decompress);
        Span<byte> one = stackalloc byte[1];
        var length = 0;
        while (true)
        {
            var room = Math.Min(buffer.Length, maxBytes) - length;
            if (room == 0)
            {
                if (Read(gzip, one, length) == 0)
                {
                    return length;
                }
                if (length == maxBytes)
                {
                    throw new BodyTooLargeException(maxBytes);
                }
                Grow(ref buffer, length, maxBytes);
                buffer[length++] = one[0];
                continue;
            }
            var read = Read(gzip, buffer.AsSpan(length, room), length);
            if (read == 0)
            {
                return length;
            }
            length += read;
        }
    }

    private static int Read(GZipStream gzip, Span<byte> target, int length)
    {
        try
        {
            return gzip.Read(target);
        }
        catch (InvalidDataException e)
        {
            throw new MalformedOtlpException($"the gzip body is damaged, after {length} bytes of content", e);
        }
    }

    private static void Grow(ref byte[] buffer, int length, int maxBytes)
    {
        var larger = BodyArrays.Rent((int)Math.Min(Math.Max(2L * buffer.Length, MinBufferBytes), maxBytes));
        buffer.AsSpan(0, length).CopyTo(larger);
        BodyArrays.Return(buffer);
        buffer = larger;
    }

    /// <summary>Whether the last bytes are the trailer of the content's last member: of all of it, when there is one member.</summary>
    private static bool EndsWhole(ReadOnlySpan<byte> body, ReadOnlySpan<byte> content)
    {
        var trailer = body[^TrailerBytes..];
        var lastLength = BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]);
        if (lastLength == (uint)content.Length)
        {
            return true;
        }
        if (lastLength == 0 || lastLength > content.Length)
        {
            return false;
        }
        return Crc32(content[^(int)lastLength..]) == BinaryPrimitives.ReadUInt32LittleEndian(trailer);
    }

    /// <summary>CRC-32 of RFC 1952, bit by bit: only for bodies of several members, which no known exporter sends.</summary>
    private static uint Crc32(ReadOnlySpan<byte> content)
    {
        var crc = uint.MaxValue;
        foreach (var next in content)
        {
            crc ^= next;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = crc >> 1 ^ (0xEDB88320u & (uint)-(int)(crc & 1));
            }
        }
        return ~crc;
    }

    private sealed class PooledBody(byte[] buffer, int length) : IMemoryOwner<byte>
    {
        private byte[]? _buffer = buffer;

        public Memory<byte> Memory => (_buffer ?? throw new ObjectDisposedException(nameof(PooledBody))).AsMemory(0, length);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
            {
                BodyArrays.Return(buffer);
            }
        }
    }
}
