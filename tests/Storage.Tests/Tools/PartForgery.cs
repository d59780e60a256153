using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Tests.Embedded;
using Apm.Telemetry;
using Apm.Telemetry.Files;
using Apm.TestKit;

namespace Apm.Storage.Tests.Tools;

/// <summary>A part with right checksums over wrong content: what no decay of a disk makes, but a mistake in the writer would.</summary>
internal sealed class PartForgery
{
    private const string Path = "a.part";

    private readonly MemoryFileSystem _disk = new();
    private readonly byte[] _bytes;
    private readonly byte[] _directory;

    public PartForgery(Signal signal, int distinct = 30, int rows = 200)
        : this(signal == Signal.Traces ? new RandomBatch(5, distinct: distinct).Spans(rows) : new RandomBatch(5, distinct: distinct).Logs(rows))
    {
    }

    /// <param name="rows">What the part holds before the forgery.</param>
    public PartForgery(ColumnBatch rows)
    {
        using (var file = _disk.Create(Path))
        {
            using var content = new BatchContent([rows]);
            PartWriter.Write(file, content);
        }
        _bytes = _disk.ReadAll(Path);
        Source = new PartSource(PartFile.Open(_disk, Path), new ChunkCache(1 << 20));
        using var chunk = Source.File.Read(Source.File.Footer.Directory);
        _directory = chunk.Content.ToArray();
        Footer = static footer => footer;
    }

    /// <summary>The part before the forgery.</summary>
    public PartSource Source { get; }

    public Func<PartFooter, PartFooter> Footer { get; set; }

    /// <summary>Bytes of nothing before the directory.</summary>
    public int Gap { get; init; }

    public void ReplaceInDirectory(ReadOnlySpan<byte> old, Action<byte[]> change)
    {
        var at = _directory.AsSpan().IndexOf(old);
        Assert.True(at >= 0, "what is to be replaced is not in the directory");
        var bytes = old.ToArray();
        change(bytes);
        bytes.CopyTo(_directory, at);
    }

    /// <summary>Changes a chunk that is stored plain, and its checksum where it is referred to.</summary>
    public void ChangeChunk(ChunkRef reference, Action<byte[]> change)
    {
        Assert.Equal(ChunkCodec.Plain, reference.Codec);
        var content = _bytes.AsSpan((int)reference.Offset, reference.StoredBytes).ToArray();
        change(content);
        content.CopyTo(_bytes, reference.Offset);
        var crc = Crc32C.Compute(content);
        if (_directory.AsSpan().IndexOf(BitConverter.GetBytes(reference.Crc)) >= 0)
        {
            ReplaceInDirectory(BitConverter.GetBytes(reference.Crc), bytes => BitConverter.TryWriteBytes(bytes, crc));
            return;
        }
        var before = Footer;
        Footer = footer => before(footer) with
        {
            TracePages = [.. footer.TracePages.Select(page => page.Chunk.Offset == reference.Offset ? page with { Chunk = reference with { Crc = crc } } : page)],
        };
    }

    /// <summary>Clears the bits of a page of filters under a right checksum.</summary>
    public void ClearPage(FilterStripe stripe, int number)
    {
        var rows = (int)Math.Min(stripe.PageRowBytes, stripe.RowBytes - ((long)number * stripe.PageRowBytes));
        var page = _bytes.AsSpan((int)stripe.Offset + (number * (stripe.PageRowBytes + FilterStripe.ChecksumBytes)), rows + FilterStripe.ChecksumBytes);
        page[..rows].Clear();
        BitConverter.TryWriteBytes(page[rows..], FilterStripeWriter.ChecksumOf(page[..rows], number));
    }

    /// <summary>The forged part, opened.</summary>
    public PartSource Forge()
    {
        var old = Source.File.Footer;
        var forged = new MemoryFileSystem();
        using (var file = forged.Create(Path))
        {
            var writer = new ByteWriter();
            writer.Bytes(_bytes.AsSpan(0, (int)old.Directory.Offset));
            writer.Bytes(new byte[Gap]);
            var directory = new ChunkRef(writer.Length, _directory.Length, _directory.Length, ChunkCodec.Plain, Crc32C.Compute(_directory));
            writer.Bytes(_directory);
            var start = writer.Length;
            Footer(old with { Directory = directory }).Encode(writer);
            var length = writer.Length - start;
            writer.UInt32((uint)length);
            writer.UInt32(Crc32C.Compute(writer.Written[start..]));
            writer.Bytes(PartFormat.TrailerMagic);
            file.Write(writer.Written, 0);
        }
        return new PartSource(PartFile.Open(forged, Path), new ChunkCache(1 << 20));
    }
}
