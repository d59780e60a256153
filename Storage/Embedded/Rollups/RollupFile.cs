using System.Buffers.Binary;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// A rollup on disk (FORMAT.md "Rollup"). Held are where its pieces lie, about 60 bytes each; the pieces come through the chunk cache, and the file is open only
/// while one is read. Any number of threads.
/// </summary>
internal sealed class RollupFile : RollupSource, IDisposable
{
    public const ushort Version = 2;

    internal const int HeaderBytes = 16;
    internal const int TrailerBytes = 16;

    /// <summary>Some 10 bytes for each chunk, of which a part of a billion rows may have tens of thousands.</summary>
    private const int MaxFooterBytes = 4 << 20;

    // Flags of the edges.
    internal const byte Truncated = 1;
    internal const byte NotKnown = 2;

    /// <summary>Most strings believed.</summary>
    private const int MaxStrings = 64 << 20;

    private readonly IFileSystem _files;
    private readonly ChunkCache _cache;
    private readonly int _number;
    private readonly Footer _footer;

    internal static ReadOnlySpan<byte> HeaderMagic => "APMROLL\n"u8;

    internal static ReadOnlySpan<byte> TrailerMagic => "APMREND\n"u8;

    /// <param name="Spans">By view, then tier; null where it is not kept.</param>
    /// <param name="EdgeCells">By tier.</param>
    private sealed record Footer(ChunkRef Owners, ChunkRef Groups, ChunkRef Edges, Tier?[][] Spans, Tier?[] EdgeCells);

    private sealed record Tier(CellBounds[] Bounds, ChunkRef[] Chunks);

    private RollupFile(IFileSystem files, string path, long length, Footer footer, ChunkCache cache)
    {
        _files = files;
        _footer = footer;
        _cache = cache;
        _number = cache.NextPartNumber();
        Path = path;
        SizeBytes = length;
    }

    public string Path { get; }

    public long SizeBytes { get; }

    /// <exception cref="CorruptPartException">As every other member that reads.</exception>
    public override SpanGroups Groups => Cached(_footer.Groups, DecodeGroups, static groups => groups.SizeBytes);

    public override EdgeGroups Edges => Cached(_footer.Edges, DecodeEdges, static edges => edges.SizeBytes);

    public override SpanGroups? GroupsOf(RollupView view) => Groups.Views.GroupsOf(view);

    public override CellChunks? SpanCells(RollupView view, RollupTier tier) => CellsOf(_footer.Spans[(int)view][(int)tier], () => GroupsOf(view)?.Count ?? 0);

    public override CellChunks? EdgeCells(RollupTier tier) => CellsOf(_footer.EdgeCells[(int)tier], () => Edges.Count);

    /// <exception cref="CorruptPartException">The header, footer or length is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version wrote it.</exception>
    public static RollupFile Open(IFileSystem files, string path, ChunkCache cache)
    {
        using var file = files.OpenRead(path);
        var length = file.Length;
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (length < HeaderBytes + TrailerBytes || file.Read(header, 0) != header.Length || !header[..8].SequenceEqual(HeaderMagic))
        {
            throw new CorruptPartException(path, 0, "this is not a rollup");
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[12..]) != Crc32C.Compute(header[..12]))
        {
            throw new CorruptPartException(path, 8, "the checksum of the header does not match");
        }
        var version = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        if (version < Version)
        {
            throw new CorruptPartException(path, 8, $"format version {version} is no longer read");
        }
        if (version > Version)
        {
            throw new NotSupportedException($"'{path}' has format version {version}; this program reads version {Version}. Run the version of the program that wrote it, or a newer one.");
        }
        return new RollupFile(files, path, length, ReadFooter(file, path, length), cache);
    }

    public void Dispose() => _cache.RemovePart(_number);

    private static Footer ReadFooter(IFile file, string path, long length)
    {
        Span<byte> trailer = stackalloc byte[TrailerBytes];
        var trailerOffset = length - TrailerBytes;
        if (file.Read(trailer, trailerOffset) != trailer.Length || !trailer[8..].SequenceEqual(TrailerMagic))
        {
            throw new CorruptPartException(path, trailerOffset, "the trailer is missing");
        }
        var bytes = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        var offset = trailerOffset - bytes;
        if (bytes > MaxFooterBytes || offset < HeaderBytes)
        {
            throw new CorruptPartException(path, trailerOffset, $"a footer of {bytes} bytes does not fit");
        }
        // The checksum covers the footer and its length. The magic behind serves as the reader's slack.
        var footer = new byte[bytes + TrailerBytes];
        if (file.Read(footer, offset) != footer.Length || Crc32C.Compute(footer.AsSpan(0, (int)bytes + 4)) != BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]))
        {
            throw new CorruptPartException(path, offset, "the checksum of the footer does not match");
        }
        var reader = new ChunkReader(footer, (int)bytes, path, offset);
        long expected = 0;
        var owners = ChunkRefCodec.Read(ref reader, ref expected);
        var groups = ChunkRefCodec.Read(ref reader, ref expected);
        var edges = ChunkRefCodec.Read(ref reader, ref expected);
        var spans = new Tier?[RollupViews.Count][];
        for (var view = 0; view < spans.Length; view++)
        {
            spans[view] = ReadTiers(ref reader, ref expected);
        }
        var cells = ReadTiers(ref reader, ref expected);
        reader.ExpectEnd();
        return owners.IsAbsent || groups.IsAbsent || edges.IsAbsent || spans[0][0] is null || cells[0] is null
            ? throw reader.Corrupt("a chunk that must be there is absent")
            : new Footer(owners, groups, edges, spans, cells);
    }

    private static Tier?[] ReadTiers(ref ChunkReader reader, ref long expected)
    {
        var tiers = new Tier?[RollupTiers.Count];
        for (var tier = 0; tier < tiers.Length; tier++)
        {
            var count = reader.Count(reader.Remaining) - 1;
            if (count < 0)
            {
                continue;
            }
            var bounds = new CellBounds[count];
            var chunks = new ChunkRef[count];
            long slot = 0;
            for (var chunk = 0; chunk < count; chunk++)
            {
                var first = slot + reader.VarInt();
                var last = first + reader.Count(int.MaxValue);
                if (first < (chunk == 0 ? int.MinValue : slot) || last >= int.MaxValue)
                {
                    throw reader.Corrupt("the chunks of a tier are not in the order of time");
                }
                bounds[chunk] = new CellBounds((int)first, (int)last, reader.Count(int.MaxValue));
                chunks[chunk] = ChunkRefCodec.Read(ref reader, ref expected);
                slot = last + 1;
                if (chunks[chunk].IsAbsent)
                {
                    throw reader.Corrupt("a chunk of cells is absent");
                }
            }
            tiers[tier] = new Tier(bounds, chunks);
        }
        return tiers;
    }

    private CellChunks? CellsOf(Tier? tier, Func<int> groups) => tier is null ? null : new CellChunks(tier.Bounds, index =>
    {
        var (reference, bounds) = (tier.Chunks[index], tier.Bounds[index]);
        if (_cache.TryGet<RollupCells>(_number, reference.Offset, out var cells))
        {
            return cells;
        }
        var count = groups();
        return Cached(reference, (ref ChunkReader reader) => Decode(ref reader, count, bounds), static cells => cells.SizeBytes);
    });

    private static RollupCells Decode(ref ChunkReader reader, int groups, CellBounds bounds)
    {
        var cells = RollupCells.Decode(ref reader, groups);
        return cells.Count == bounds.Cells && cells.FirstSlot == bounds.FirstSlot && cells.LastSlot == bounds.LastSlot
            ? cells
            : throw reader.Corrupt("the cells are not those that the footer names");
    }

    private delegate T DecodeChunk<T>(ref ChunkReader reader);

    private T Cached<T>(ChunkRef reference, DecodeChunk<T> decode, Func<T, long> size)
        where T : class
    {
        if (_cache.TryGet<T>(_number, reference.Offset, out var cached))
        {
            return cached;
        }
        var value = Read(reference, decode);
        return _cache.Add(_number, reference.Offset, value, size(value));
    }

    private T Read<T>(ChunkRef reference, DecodeChunk<T> decode)
    {
        using var file = _files.OpenRead(Path);
        using var chunk = PartFile.Read(file, Path, SizeBytes, reference);
        var reader = chunk.Reader();
        return decode(ref reader);
    }

    private SpanGroups DecodeGroups(ref ChunkReader reader)
    {
        var owners = Read(_footer.Owners, static (ref ChunkReader owners) => OwnersCodec.Decode(ref owners, Signal.Traces));
        var strings = new StringTable();
        var count = reader.Count(MaxStrings);
        var list = ValueList.Decode(ref reader, count);
        for (var code = 0; code < count; code++)
        {
            if (strings.Intern(list.GetContent(code)) != code)
            {
                throw reader.Corrupt("the strings are not distinct, or do not begin with the empty one");
            }
        }
        var groups = new SpanGroups(owners, strings);
        count = reader.Count(2L * SpanGroups.MaxGroups * 1024);
        var resources = Codes(ref reader, count, SpanGroups.Unknown, owners.ResourceAttributes.OwnerCount);
        var names = Codes(ref reader, count, SpanGroups.Unknown, strings.Count);
        var kinds = Codes(ref reader, count, 0, 256);
        var statuses = Codes(ref reader, count, 0, 256);
        var roots = Codes(ref reader, count, 0, 2);
        reader.ExpectEnd();
        for (var group = 0; group < count; group++)
        {
            if (groups.NumberOf(resources[group], names[group], (byte)kinds[group], (byte)statuses[group], (byte)roots[group], int.MaxValue / 2) != group)
            {
                throw reader.Corrupt("two groups are the same");
            }
        }
        return groups;
    }

    private EdgeGroups DecodeEdges(ref ChunkReader reader)
    {
        var strings = Groups.Strings;
        var flags = reader.Byte();
        var edges = new EdgeGroups(strings) { IsTruncated = (flags & Truncated) != 0, IsKnown = (flags & NotKnown) == 0 };
        var count = reader.Count(2L * EdgeGroups.MaxGroups * 1024);
        var clients = Codes(ref reader, count, 0, strings.Count);
        var servers = Codes(ref reader, count, 0, strings.Count);
        var kinds = Codes(ref reader, count, 0, (int)EdgeKind.Host + 1);
        var systems = Codes(ref reader, count, 0, strings.Count);
        var operations = Codes(ref reader, count, 0, strings.Count);
        reader.ExpectEnd();
        for (var edge = 0; edge < count; edge++)
        {
            if (edges.NumberOf(clients[edge], servers[edge], (EdgeKind)kinds[edge], systems[edge], operations[edge], int.MaxValue / 2) != edge)
            {
                throw reader.Corrupt("two edges are the same");
            }
        }
        return edges;
    }

    /// <summary>Numbers from <paramref name="from"/> to below <paramref name="to"/>.</summary>
    private static int[] Codes(ref ChunkReader reader, int count, int from, int to)
    {
        var values = new int[count];
        IntColumn.Decode<int>(ref reader, values);
        foreach (var value in values)
        {
            if (value < from || value >= to)
            {
                throw reader.Corrupt($"{value} is not from {from} to below {to}");
            }
        }
        return values;
    }
}
