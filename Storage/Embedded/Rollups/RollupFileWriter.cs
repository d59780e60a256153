using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// Writes a rollup file (FORMAT.md "Rollup"): goes through the minutes of a rollup in the order of time, and makes its views and wider tiers of them. Held are one
/// chunk of minutes and all of the wider tiers, at most half of the minutes. One use, one thread.
/// </summary>
internal sealed class RollupFileWriter
{
    /// <summary>Chunks of fewer cells are joined with the next: about 200 KB.</summary>
    private const int MinChunkCells = 4_096;

    /// <summary>Chunks of more are split: about 1.6 MB, 2 ms of reading.</summary>
    private const int MaxChunkCells = 32_768;

    private readonly ChunkWriter _chunks;
    private readonly ByteWriter _chunk = new();

    private RollupFileWriter(IFile file) => _chunks = new ChunkWriter(file);

    /// <summary>The caller syncs the file.</summary>
    /// <returns>Bytes written.</returns>
    public static long Write(IFile file, RollupSource rollup) => new RollupFileWriter(file).Write(rollup);

    private long Write(RollupSource rollup)
    {
        _chunk.Bytes(RollupFile.HeaderMagic);
        _chunk.Bytes([(byte)RollupFile.Version, RollupFile.Version >> 8, 0, 0]);
        _chunk.UInt32(Crc32C.Compute(_chunk.Written));
        _chunks.Write(_chunk.Written);

        ChunkRef[] heads = [Append(chunk => OwnersCodec.Encode(rollup.Groups.Owners, chunk)), Append(chunk => EncodeGroups(rollup.Groups, chunk)), Append(chunk => EncodeEdges(rollup.Edges, chunk))];
        var views = rollup.Groups.Views;
        var spans = new ViewWriter?[RollupViews.Count];
        for (var view = RollupView.Resource; view <= RollupView.Service; view++)
        {
            spans[(int)view] = views.GroupsOf(view) is { } groups ? new ViewWriter(this, groups.Count, RollupViews.HasMinutes(view)) : null;
        }
        var minutes = new RollupCells[RollupViews.Count];
        Each(rollup.SpanCells(RollupView.Resource, RollupTier.Minute)!, cells =>
        {
            minutes[0] = cells;
            spans[0]!.Add(cells);
            for (var view = RollupView.Operation; view <= RollupView.Service; view++)
            {
                if (spans[(int)view] is { } writer)
                {
                    minutes[(int)view] = RollupMerge.AddUp(minutes[(int)views.SourceOf(view)], views.NumbersOf(view), writer.Groups);
                    writer.Add(minutes[(int)view]);
                }
            }
        });
        var edges = new ViewWriter(this, rollup.Edges.Count, hasMinutes: true);
        Each(rollup.EdgeCells(RollupTier.Minute)!, edges.Add);

        long expected = 0;
        var footer = new ByteWriter();
        foreach (var head in heads)
        {
            ChunkRefCodec.Write(footer, head, ref expected);
        }
        foreach (var view in spans)
        {
            WriteTiers(footer, view?.Finish(), ref expected);
        }
        WriteTiers(footer, edges.Finish(), ref expected);
        var length = footer.Length;
        footer.UInt32((uint)length);
        footer.UInt32(Crc32C.Compute(footer.Written));
        footer.Bytes(RollupFile.TrailerMagic);
        _chunks.Write(footer.Written);
        _chunks.Flush();
        return _chunks.Offset;
    }

    private static void Each(CellChunks minutes, Action<RollupCells> add)
    {
        for (var chunk = 0; chunk < minutes.Count; chunk++)
        {
            if (minutes.Load(chunk) is { Count: > 0 } cells)
            {
                add(cells);
            }
        }
    }

    private ChunkRef Append(Action<ByteWriter> encode)
    {
        _chunk.Clear();
        encode(_chunk);
        return _chunks.Append(_chunk);
    }

    private static void WriteTiers(ByteWriter footer, IReadOnlyList<TierWriter?>? tiers, ref long expected)
    {
        for (var tier = 0; tier < RollupTiers.Count; tier++)
        {
            if (tiers?[tier] is not { } written)
            {
                footer.VarUInt(0);
                continue;
            }
            footer.VarUInt((ulong)written.Chunks.Count + 1);
            long slot = 0;
            foreach (var (bounds, chunk) in written.Chunks)
            {
                footer.VarInt(bounds.FirstSlot - slot);
                footer.VarUInt((ulong)((long)bounds.LastSlot - bounds.FirstSlot));
                footer.VarUInt((ulong)bounds.Cells);
                ChunkRefCodec.Write(footer, chunk, ref expected);
                slot = bounds.LastSlot + 1L;
            }
        }
    }

    /// <summary>The cells of one view, or the edges, in all tiers.</summary>
    private sealed class ViewWriter(RollupFileWriter file, int groups, bool hasMinutes)
    {
        private readonly TierWriter _minutes = new(file, groups);
        private readonly List<RollupCells> _tenMinutes = [];
        private readonly List<RollupCells> _hours = [];
        private long _minuteCells;

        public int Groups => groups;

        /// <summary>Takes minutes of hours after those before.</summary>
        public void Add(RollupCells minutes)
        {
            _minuteCells += minutes.Count;
            if (hasMinutes)
            {
                _minutes.Add(minutes);
            }
            var tenMinutes = minutes.Coarsen(RollupTiers.Minutes(RollupTier.TenMinutes));
            _tenMinutes.Add(tenMinutes);
            _hours.Add(tenMinutes.Coarsen(RollupTiers.Minutes(RollupTier.Hour) / RollupTiers.Minutes(RollupTier.TenMinutes)));
        }

        /// <summary>Writes what is left; by tier, null where it is not kept as it would not at least halve the cells.</summary>
        public IReadOnlyList<TierWriter?> Finish()
        {
            _minutes.Finish();
            var tenMinutes = Write(_tenMinutes, _minuteCells);
            return [hasMinutes ? _minutes : null, tenMinutes, Write(_hours, tenMinutes?.Cells ?? _minuteCells)];
        }

        private TierWriter? Write(List<RollupCells> pieces, long finer)
        {
            if (pieces.Sum(static cells => (long)cells.Count) * 2 > finer)
            {
                return null;
            }
            var tier = new TierWriter(file, groups);
            foreach (var cells in pieces)
            {
                tier.Add(cells);
            }
            tier.Finish();
            return tier;
        }
    }

    /// <summary>The cells of one tier, in chunks of a size that is read at once.</summary>
    private sealed class TierWriter(RollupFileWriter file, int groups)
    {
        private readonly List<RollupCells> _pending = [];
        private int _pendingCells;

        public List<(CellBounds Bounds, ChunkRef Chunk)> Chunks { get; } = [];

        public long Cells { get; private set; }

        /// <summary>Takes cells after those before, or more of the last slot.</summary>
        public void Add(RollupCells cells)
        {
            if (cells.Count == 0)
            {
                return;
            }
            _pending.Add(cells);
            _pendingCells += cells.Count;
            if (_pendingCells >= MinChunkCells)
            {
                Finish();
            }
        }

        public void Finish()
        {
            if (_pending.Count == 0)
            {
                return;
            }
            var joined = _pending.Count == 1 ? _pending[0] : RollupMerge.AddUp(_pending, groups);
            _pending.Clear();
            _pendingCells = 0;
            foreach (var cells in joined.Split(MaxChunkCells))
            {
                if (cells.Count > 0)
                {
                    Chunks.Add((new CellBounds(cells.FirstSlot, cells.LastSlot, cells.Count), file.Append(cells.Encode)));
                    Cells += cells.Count;
                }
            }
        }
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

    private static void EncodeEdges(EdgeGroups edges, ByteWriter chunk)
    {
        chunk.Byte((byte)((edges.IsTruncated ? RollupFile.Truncated : 0) | (edges.IsKnown ? 0 : RollupFile.NotKnown)));
        chunk.VarUInt((ulong)edges.Count);
        Encode(edges.Clients.Values, chunk);
        Encode(edges.Servers.Values, chunk);
        Encode(edges.Kinds.Values, chunk);
        Encode(edges.Systems.Values, chunk);
        Encode(edges.Operations.Values, chunk);
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
}
