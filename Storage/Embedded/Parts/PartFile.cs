using System.Buffers;
using System.IO.Compression;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// An open part file: its footer in memory, chunks read by exact range (a memory map would read ahead megabytes for a column of kilobytes), each checked
/// against its checksum. Any number of threads.
/// </summary>
internal sealed class PartFile : IDisposable
{
    private readonly IFile _file;
    private readonly long _length;

    private PartFile(string path, IFile file, long length, PartFooter footer, long footerOffset)
    {
        Path = path;
        _file = file;
        _length = length;
        Footer = footer;
        FooterOffset = footerOffset;
    }

    public string Path { get; }

    public long SizeBytes => _length;

    /// <summary>Of the format.</summary>
    public int Version { get; private init; }

    public PartFooter Footer { get; }

    /// <summary>Where the chunks end.</summary>
    public long FooterOffset { get; }

    /// <summary>The bytes as they lie on the disk; of this object to dispose.</summary>
    public IFile Stored => _file;

    /// <exception cref="CorruptPartException">The header, footer or length is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version wrote the part.</exception>
    public static PartFile Open(IFileSystem files, string path)
    {
        var file = files.OpenRead(path);
        try
        {
            var length = file.Length;
            var (signal, version) = ReadHeader(file, path, length);
            var footer = ReadFooter(file, path, length, signal, out var footerOffset);
            return new PartFile(path, file, length, footer, footerOffset) { Version = version };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Reads a chunk, checks and unpacks it. The caller disposes it.</summary>
    public RentedChunk Read(ChunkRef reference) => Read(_file, Path, _length, reference);

    /// <summary>As <see cref="Read(ChunkRef)"/>, of any file that has chunks.</summary>
    internal static RentedChunk Read(IFile file, string path, long length, ChunkRef reference)
    {
        if (reference.Offset > length - reference.StoredBytes)
        {
            throw new CorruptPartException(path, reference.Offset, $"a chunk of {reference.StoredBytes} bytes is beyond the file's {length}");
        }
        var stored = ArrayPool<byte>.Shared.Rent(reference.StoredBytes + ChunkReader.SlackBytes);
        var keep = false;
        try
        {
            var span = stored.AsSpan(0, reference.StoredBytes);
            if (file.Read(span, reference.Offset) != span.Length)
            {
                throw new CorruptPartException(path, reference.Offset, "the file ends inside a chunk");
            }
            if (Crc32C.Compute(span) != reference.Crc)
            {
                throw new CorruptPartException(path, reference.Offset, $"the checksum of a chunk of {reference.StoredBytes} bytes does not match");
            }
            if (reference.Codec == ChunkCodec.Plain)
            {
                keep = true;
                return new RentedChunk(stored, reference.StoredBytes, path, reference.Offset);
            }
            var content = ArrayPool<byte>.Shared.Rent(reference.Bytes + ChunkReader.SlackBytes);
            if (!TryUnpack(reference.Codec, span, content.AsSpan(0, reference.Bytes)))
            {
                ArrayPool<byte>.Shared.Return(content);
                throw new CorruptPartException(path, reference.Offset, $"a chunk of {reference.StoredBytes} bytes does not unpack to {reference.Bytes}");
            }
            return new RentedChunk(content, reference.Bytes, path, reference.Offset);
        }
        finally
        {
            if (!keep)
            {
                ArrayPool<byte>.Shared.Return(stored);
            }
        }
    }

    /// <summary>Fills a buffer with a page of filters and checks its last 4 bytes, the checksum of the rest.</summary>
    /// <param name="number">Of the page in its stripe.</param>
    /// <exception cref="CorruptPartException">The page is damaged, or beyond the file.</exception>
    public void ReadChecked(Span<byte> page, long offset, int number)
    {
        if (offset > _length - page.Length || _file.Read(page, offset) != page.Length)
        {
            throw new CorruptPartException(Path, Math.Min(offset, _length), $"a page of {page.Length} bytes is beyond the file's {_length}");
        }
        var rows = page[..^FilterStripe.ChecksumBytes];
        if (System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(page[rows.Length..]) != FilterStripeWriter.ChecksumOf(rows, number))
        {
            throw new CorruptPartException(Path, offset, $"the checksum of page {number} of filters does not match");
        }
    }

    private static bool TryUnpack(ChunkCodec codec, ReadOnlySpan<byte> stored, Span<byte> content) => codec == ChunkCodec.Brotli
        ? BrotliDecoder.TryDecompress(stored, content, out var written) && written == content.Length
        : LzBlock.TryDecompress(stored, content);

    private static (Signal Signal, int Version) ReadHeader(IFile file, string path, long length)
    {
        Span<byte> header = stackalloc byte[PartFormat.HeaderBytes];
        if (length < PartFormat.HeaderBytes + PartFormat.TrailerBytes || file.Read(header, 0) != header.Length)
        {
            throw new CorruptPartException(path, 0, $"a part is longer than {length} bytes");
        }
        if (!header[..8].SequenceEqual(PartFormat.HeaderMagic))
        {
            throw new CorruptPartException(path, 0, "this is not a part");
        }
        if (BitConverter.ToUInt32(header[12..]) != Crc32C.Compute(header[..12]))
        {
            throw new CorruptPartException(path, 8, "the checksum of the header does not match");
        }
        var version = header[8] | (header[9] << 8);
        if (version is 0 or > PartFormat.Version)
        {
            throw new NotSupportedException($"'{path}' has format version {version}; this program reads versions 1 to {PartFormat.Version}. Run the version of the program that wrote it, or a newer one.");
        }
        return (Signal)header[10] is Signal.Traces or Signal.Logs
            ? ((Signal)header[10], version)
            : throw new CorruptPartException(path, 10, $"signal {header[10]} is unknown");
    }

    private static PartFooter ReadFooter(IFile file, string path, long length, Signal signal, out long footerOffset)
    {
        Span<byte> trailer = stackalloc byte[PartFormat.TrailerBytes];
        var trailerOffset = length - PartFormat.TrailerBytes;
        if (file.Read(trailer, trailerOffset) != trailer.Length || !trailer[8..].SequenceEqual(PartFormat.TrailerMagic))
        {
            throw new CorruptPartException(path, trailerOffset, "the trailer is missing");
        }
        var footerBytes = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        footerOffset = trailerOffset - footerBytes;
        if (footerBytes > PartFormat.MaxFooterBytes || footerOffset < PartFormat.HeaderBytes)
        {
            throw new CorruptPartException(path, trailerOffset, $"a footer of {footerBytes} bytes does not fit");
        }
        // The checksum covers the footer and its length. The magic behind serves as the reader's slack.
        var bytes = new byte[footerBytes + PartFormat.TrailerBytes];
        if (file.Read(bytes, footerOffset) != bytes.Length
            || Crc32C.Compute(bytes.AsSpan(0, (int)footerBytes + 4)) != System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]))
        {
            throw new CorruptPartException(path, footerOffset, "the checksum of the footer does not match");
        }
        var reader = new ChunkReader(bytes, (int)footerBytes, path, footerOffset);
        return PartFooter.Decode(ref reader, signal);
    }
}

/// <summary>An unpacked chunk in a rented buffer.</summary>
internal readonly struct RentedChunk(byte[] buffer, int length, string path, long offset) : IDisposable
{
    public int Length => length;

    public ReadOnlySpan<byte> Content => buffer.AsSpan(0, length);

    /// <summary>The content, until the chunk is disposed.</summary>
    public ReadOnlyMemory<byte> Memory => buffer.AsMemory(0, length);

    public ChunkReader Reader() => new(buffer, length, path, offset);

    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);
}
