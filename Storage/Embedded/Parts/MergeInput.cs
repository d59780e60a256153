using System.Buffers.Binary;
using System.Numerics;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// A part that is being merged, read chunk by chunk past the cache: a merge reads everything once, and would push out what queries use. One thread.
/// Every method throws <see cref="CorruptPartException"/>, which names the part, for what is damaged.
/// </summary>
internal sealed class MergeInput
{
    private readonly int[] _starts;
    private int[] _lengths = [];

    public MergeInput(PartSource source)
    {
        Source = source;
        Directory = source.Directory;
        Owners = source.Owners;
        _starts = new int[source.BlockCount + 1];
        for (var block = 0; block < source.BlockCount; block++)
        {
            _starts[block + 1] = checked(_starts[block] + source.GetBounds(block).Rows);
        }
    }

    public PartSource Source { get; }

    public PartDirectory Directory { get; }

    public ColumnBatch Owners { get; }

    public Signal Signal => Source.Signal;

    public int Blocks => _starts.Length - 1;

    public int Rows => _starts[^1];

    public int RowsOf(int block) => _starts[block + 1] - _starts[block];

    /// <summary>Rows before the block.</summary>
    public int StartOf(int block) => _starts[block];

    public CorruptPartException Corrupt(ChunkRef where, string message) => new(Source.File.Path, where.Offset, message);

    public RentedChunk Read(ChunkRef chunk, int block) => chunk.IsAbsent
        ? throw new CorruptPartException(Source.File.Path, 0, $"a chunk of block {block} is absent")
        : Source.File.Read(chunk);

    /// <summary>A column of integers; all zero when the part does not store it.</summary>
    public void ReadInts<T>(ChunkRef chunk, Span<T> values)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (chunk.IsAbsent)
        {
            values.Clear();
            return;
        }
        using var content = Source.File.Read(chunk);
        var reader = content.Reader();
        IntColumn.Decode(ref reader, values);
        reader.ExpectEnd();
    }

    /// <summary>Rows of each run of the block, valid until the next call.</summary>
    public ReadOnlySpan<int> ReadRuns(int block)
    {
        var chunk = Directory.Plain(PlainColumn.TraceRuns, block);
        using var content = Read(chunk, block);
        var reader = content.Reader();
        var lengths = Room(ref _lengths, reader.Count(RowsOf(block)));
        IntColumn.Decode(ref reader, lengths);
        reader.ExpectEnd();
        long rows = 0;
        foreach (var length in lengths)
        {
            rows += length > 0 ? length : throw Corrupt(chunk, "a run is empty");
        }
        return rows == RowsOf(block) ? lengths : throw Corrupt(chunk, $"the runs have {rows} rows, the block {RowsOf(block)}");
    }

    /// <summary>The trace id of each of the block's runs.</summary>
    public void ReadTraceIds(int block, Span<TraceId> ids)
    {
        var chunk = Directory.Plain(PlainColumn.TraceId, block);
        if (chunk.IsAbsent)
        {
            ids.Clear();
            return;
        }
        ReadTraceIds(chunk, block, ids);
    }

    /// <summary>The trace id of each of the block's rows; returns their count.</summary>
    /// <param name="runIds">Scratch.</param>
    public int ReadRowTraceIds(int block, ref TraceId[] values, ref TraceId[] runIds)
    {
        var rows = Room(ref values, RowsOf(block));
        if (Directory.Plain(PlainColumn.TraceId, block).IsAbsent)
        {
            rows.Clear();
            return rows.Length;
        }
        var runs = ReadRuns(block);
        var ids = Room(ref runIds, runs.Length);
        ReadTraceIds(block, ids);
        var row = 0;
        for (var run = 0; run < runs.Length; run++)
        {
            rows.Slice(row, runs[run]).Fill(ids[run]);
            row += runs[run];
        }
        return rows.Length;
    }

    public void ReadTraceIds(ChunkRef chunk, int block, Span<TraceId> ids)
    {
        using var content = Read(chunk, block);
        var reader = content.Reader();
        var bytes = reader.Bytes(checked(ids.Length * TraceId.SizeBytes));
        for (var i = 0; i < ids.Length; i++)
        {
            var at = i * TraceId.SizeBytes;
            ids[i] = new TraceId(BinaryPrimitives.ReadUInt64BigEndian(bytes[at..]), BinaryPrimitives.ReadUInt64BigEndian(bytes[(at + 8)..]));
        }
        reader.ExpectEnd();
    }

    public void ReadSpanIds(ChunkRef chunk, Span<SpanId> ids)
    {
        if (chunk.IsAbsent)
        {
            ids.Clear();
            return;
        }
        using var content = Source.File.Read(chunk);
        var reader = content.Reader();
        var bytes = reader.Bytes(checked(ids.Length * SpanId.SizeBytes));
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = new SpanId(BinaryPrimitives.ReadUInt64BigEndian(bytes[(i * SpanId.SizeBytes)..]));
        }
        reader.ExpectEnd();
    }

    /// <param name="spans">The block's span ids.</param>
    public void ReadParents(int block, ReadOnlySpan<SpanId> spans, Span<SpanId> parents)
    {
        var chunk = Directory.Plain(PlainColumn.ParentSpanId, block);
        if (chunk.IsAbsent)
        {
            parents.Clear();
            return;
        }
        using var content = Source.File.Read(chunk);
        var reader = content.Reader();
        ParentEncoder.Decode(ref reader, spans, parents);
    }

    /// <summary>The first start of each run of a block of spans.</summary>
    public void ReadRunStarts(int block, Span<long> starts)
    {
        using var content = Read(Directory.Plain(PlainColumn.Time, block), block);
        var reader = content.Reader();
        ReadRunStarts(ref reader, block, starts);
    }

    /// <summary>The absolute time of each row.</summary>
    public void ReadTimes(int block, Span<long> times)
    {
        var chunk = Directory.Plain(PlainColumn.Time, block);
        if (Signal == Signal.Logs)
        {
            ReadInts(chunk, times);
            var previous = Source.GetBounds(block).FirstTimeUnixNano;
            foreach (ref var time in times)
            {
                previous += time;
                time = previous;
            }
            return;
        }
        var runs = ReadRuns(block);
        using var content = Read(chunk, block);
        var reader = content.Reader();
        var starts = new long[runs.Length];
        ReadRunStarts(ref reader, block, starts);
        IntColumn.Decode(ref reader, times);
        reader.ExpectEnd();
        var row = 0;
        for (var run = 0; run < runs.Length; run++)
        {
            foreach (ref var time in times.Slice(row, runs[run]))
            {
                time += starts[run];
            }
            row += runs[run];
        }
    }

    private void ReadRunStarts(ref ChunkReader reader, int block, Span<long> starts)
    {
        IntColumn.Decode(ref reader, starts);
        var start = Source.GetBounds(block).FirstTimeUnixNano;
        foreach (ref var time in starts)
        {
            start += time;
            time = start;
        }
    }

    public static Span<T> Room<T>(ref T[] array, int count)
    {
        if (array.Length < count)
        {
            array = new T[Math.Max(count, array.Length * 2)];
        }
        return array.AsSpan(0, count);
    }
}
