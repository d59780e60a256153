using System.Buffers.Binary;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// A rollup on disk (FORMAT.md "Rollup"). Held are where its pieces lie, about 300 bytes; the pieces come through the chunk cache, and the file is open only
/// while one is read. Any number of threads.
/// </summary>
internal sealed class RollupFile : RollupSource, IDisposable
{
    public const ushort Version = 1;

    private const int HeaderBytes = 16;
    private const int TrailerBytes = 16;
    private const int MaxFooterBytes = 4096;

    // Flags of the edges.
    private const byte Truncated = 1;
    private const byte NotKnown = 2;

    /// <summary>Most strings believed.</summary>
    private const int MaxStrings = 64 << 20;

    private readonly IFileSystem _files;
    private readonly ChunkCache _cache;
    private readonly int _number;
    private readonly Footer _footer;

    private static ReadOnlySpan<byte> HeaderMagic => "APMROLL\n"u8;

    private static ReadOnlySpan<byte> TrailerMagic => "APMREND\n"u8;

    private sealed record Footer(ChunkRef Owners, ChunkRef Groups, ChunkRef Edges, ChunkRef[] Spans, ChunkRef[] EdgeCells, int FirstEdgeMinute, int LastEdgeMinute);

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

    public override (int First, int Last) EdgeMinutes => (_footer.FirstEdgeMinute, _footer.LastEdgeMinute);

    public override RollupCells? SpanCells(RollupTier tier) => CellsOf(_footer.Spans[(int)tier], () => Groups.Count);

    public override RollupCells? EdgeCells(RollupTier tier) => CellsOf(_footer.EdgeCells[(int)tier], () => Edges.Count);

    /// <summary>Writes a rollup; the caller syncs the file.</summary>
    /// <returns>Bytes written.</returns>
    public static long Write(IFile file, RollupSource rollup)
    {
        var chunks = new ChunkWriter(file);
        var chunk = new ByteWriter();
        chunk.Bytes(HeaderMagic);
        chunk.Bytes([(byte)Version, Version >> 8, 0, 0]);
        chunk.UInt32(Crc32C.Compute(chunk.Written));
        chunks.Write(chunk.Written);

        long expected = 0;
        var footer = new ByteWriter();
        Append(() => OwnersCodec.Encode(rollup.Groups.Owners, chunk));
        Append(() => EncodeGroups(rollup.Groups, chunk));
        Append(() => EncodeEdges(rollup.Edges, chunk));
        for (var tier = 0; tier < RollupTiers.Count; tier++)
        {
            AppendCells(rollup.SpanCells((RollupTier)tier));
        }
        for (var tier = 0; tier < RollupTiers.Count; tier++)
        {
            AppendCells(rollup.EdgeCells((RollupTier)tier));
        }
        footer.VarInt(rollup.EdgeMinutes.First);
        footer.VarInt(rollup.EdgeMinutes.Last);

        var length = footer.Length;
        footer.UInt32((uint)length);
        footer.UInt32(Crc32C.Compute(footer.Written));
        footer.Bytes(TrailerMagic);
        chunks.Write(footer.Written);
        chunks.Flush();
        return chunks.Offset;

        void Append(Action encode)
        {
            chunk.Clear();
            encode();
            ChunkRefCodec.Write(footer, chunks.Append(chunk), ref expected);
        }

        void AppendCells(RollupCells? cells)
        {
            if (cells is null)
            {
                ChunkRefCodec.Write(footer, default, ref expected);
            }
            else
            {
                Append(() => cells.Encode(chunk));
            }
        }
    }

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
        if (version != Version)
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
        var spans = ReadTiers(ref reader, ref expected);
        var cells = ReadTiers(ref reader, ref expected);
        var result = new Footer(owners, groups, edges, spans, cells, (int)reader.VarInt(), (int)reader.VarInt());
        reader.ExpectEnd();
        return owners.IsAbsent || groups.IsAbsent || edges.IsAbsent || spans[0].IsAbsent || cells[0].IsAbsent
            ? throw reader.Corrupt("a chunk that must be there is absent")
            : result;
    }

    private static ChunkRef[] ReadTiers(ref ChunkReader reader, ref long expected)
    {
        var tiers = new ChunkRef[RollupTiers.Count];
        for (var tier = 0; tier < tiers.Length; tier++)
        {
            tiers[tier] = ChunkRefCodec.Read(ref reader, ref expected);
        }
        return tiers;
    }

    private RollupCells? CellsOf(ChunkRef reference, Func<int> groups)
    {
        if (reference.IsAbsent)
        {
            return null;
        }
        if (_cache.TryGet<RollupCells>(_number, reference.Offset, out var cells))
        {
            return cells;
        }
        var count = groups();
        return Cached(reference, (ref ChunkReader reader) => RollupCells.Decode(ref reader, count), static cells => cells.SizeBytes);
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

    private static void EncodeGroups(SpanGroups groups, ByteWriter chunk)
    {
        var list = new ValueListWriter();
        for (var code = 0; code < groups.Strings.Count; code++)
        {
            list.Add(AttributeType.String, code, groups.Strings);
        }
        chunk.VarUInt((ulong)groups.Strings.Count);
        list.WriteTo(chunk);
        chunk.VarUInt((ulong)groups.Count);
        Encode(groups.Resources.Values, chunk);
        Encode(groups.Names.Values, chunk);
        Encode(groups.Kinds.Values, chunk);
        Encode(groups.Statuses.Values, chunk);
        Encode(groups.Roots.Values, chunk);
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

    private static void EncodeEdges(EdgeGroups edges, ByteWriter chunk)
    {
        chunk.Byte((byte)((edges.IsTruncated ? Truncated : 0) | (edges.IsKnown ? 0 : NotKnown)));
        chunk.VarUInt((ulong)edges.Count);
        Encode(edges.Clients.Values, chunk);
        Encode(edges.Servers.Values, chunk);
        Encode(edges.Kinds.Values, chunk);
        Encode(edges.Systems.Values, chunk);
        Encode(edges.Operations.Values, chunk);
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

    private static void Encode<T>(ReadOnlySpan<T> values, ByteWriter chunk)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        var numbers = new long[values.Length];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = long.CreateTruncating(values[i]);
        }
        IntColumn.Encode(numbers, chunk);
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
