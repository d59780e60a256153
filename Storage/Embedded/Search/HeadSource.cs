using System.Collections.Concurrent;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// One appended batch as a search sees it. Its columns are the batch's own; attribute columns and the trace index are built when a query first asks for
/// them, and kept. Safe for any number of threads.
/// </summary>
internal sealed class HeadSource : RowSource
{
    /// <summary>Rows of a block: as in a part, so that what a query does once a block costs about the same in both.</summary>
    public const int BlockRows = 8192;

    /// <summary>Attribute columns kept; further ones are built for each query. Bounds what queries for ever new keys can pin (4 bytes a row and column).</summary>
    public const int MaxKeptColumns = 64;

    private readonly int _blockRows;
    private readonly BlockBounds[] _bounds;
    private readonly ConcurrentDictionary<Field, HeadColumn> _columns = new();
    private readonly Lazy<TraceBlocks> _traces;
    private readonly Lazy<Rollups.Rollup>? _rollup;
    private readonly Lazy<IReadOnlyList<AttributeName>> _names;

    /// <summary>Spans from which on a rollup, built when it is first asked for and kept, is less work than reading them for each query.</summary>
    private const int MinRollupRows = 512;

    /// <param name="batch">Must not change any more.</param>
    public HeadSource(ColumnBatch batch, int blockRows = BlockRows)
    {
        Batch = batch;
        _blockRows = blockRows;
        Strings = new StringDictionary(batch.Strings);
        _bounds = new BlockBounds[(batch.Rows + blockRows - 1) / blockRows];
        FirstTimeUnixNano = long.MaxValue;
        LastTimeUnixNano = long.MinValue;
        for (var block = 0; block < _bounds.Length; block++)
        {
            var bounds = BoundsOf(batch, block * blockRows, Math.Min(blockRows, batch.Rows - (block * blockRows)));
            _bounds[block] = bounds;
            FirstTimeUnixNano = Math.Min(FirstTimeUnixNano, bounds.FirstTimeUnixNano);
            LastTimeUnixNano = Math.Max(LastTimeUnixNano, bounds.LastTimeUnixNano);
        }
        if (batch.Signal == Signal.Traces && batch.Rows >= MinRollupRows)
        {
            _rollup = new Lazy<Rollups.Rollup>(() => Rollups.RollupBuilder.Build(this));
        }
        _traces = new Lazy<TraceBlocks>(() => new TraceBlocks(batch.TraceId.Values, blockRows));
        _names = new Lazy<IReadOnlyList<AttributeName>>(CountNames);
    }

    public ColumnBatch Batch { get; }

    public StringDictionary Strings { get; }

    public override Signal Signal => Batch.Signal;

    public override int BlockCount => _bounds.Length;

    public override long RowCount => Batch.Rows;

    public override long FirstTimeUnixNano { get; }

    public override long LastTimeUnixNano { get; }

    /// <summary>The batch itself: its resources and scopes are where <see cref="RowSource.Owners"/> has them.</summary>
    public override ColumnBatch Owners => Batch;

    public override IReadOnlyList<AttributeName> AttributeNames => _names.Value;

    public override Rollups.RollupSource? Rollup => _rollup?.Value;

    public override BlockBounds GetBounds(int block) => _bounds[block];

    public override bool MayEqual(int block, Field field, in AttributeValue value)
    {
        if (field.Scope != FieldScope.Intrinsic && Batch.Strings.Find(System.Text.Encoding.UTF8.GetBytes(field.Key)) < 0)
        {
            return false;
        }
        return value.Type != AttributeType.String
            || field.Intrinsic is not (Intrinsic.None or Intrinsic.Name or Intrinsic.StatusMessage or Intrinsic.SeverityText or Intrinsic.EventName or Intrinsic.ScopeName or Intrinsic.ScopeVersion)
            || Batch.Strings.Find(value.Content) >= 0;
    }

    public override void FindTrace(TraceId traceId, List<int> blocks) => _traces.Value.Find(traceId, blocks);

    public override RowBlock OpenBlock(int block) => new HeadBlock(this, block, block * _blockRows, _bounds[block]);

    /// <summary>A column over the whole batch; null when no row has the attribute.</summary>
    public CodedColumn? GetColumn(Field field)
    {
        if (_columns.TryGetValue(field, out var kept))
        {
            return kept.Column;
        }
        var built = new HeadColumn(HeadColumns.Build(this, field));
        return _columns.Count < MaxKeptColumns ? _columns.GetOrAdd(field, built).Column : built.Column;
    }

    private static BlockBounds BoundsOf(ColumnBatch batch, int start, int rows)
    {
        long first = long.MaxValue, last = long.MinValue, shortest = long.MaxValue, longest = 0;
        foreach (var time in batch.TimeUnixNano.Values.Slice(start, rows))
        {
            first = Math.Min(first, time);
            last = Math.Max(last, time);
        }
        if (batch.Signal == Signal.Traces)
        {
            foreach (var duration in batch.DurationNano.Values.Slice(start, rows))
            {
                shortest = Math.Min(shortest, duration);
                longest = Math.Max(longest, duration);
            }
        }
        return new BlockBounds(rows, first, last, shortest == long.MaxValue ? 0 : shortest, longest);
    }

    private List<AttributeName> CountNames()
    {
        var names = new List<AttributeName>();
        Count(FieldScope.Record, Batch.Attributes);
        Count(FieldScope.Event, Batch.EventAttributes);
        Count(FieldScope.Link, Batch.LinkAttributes);
        return names;

        void Count(FieldScope scope, AttributeTable table)
        {
            var counts = new Dictionary<int, long>();
            foreach (var key in table.Keys)
            {
                System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(counts, key, out _)++;
            }
            foreach (var (key, count) in counts)
            {
                names.Add(new AttributeName(scope, Batch.Strings.GetString(key), count));
            }
        }
    }

    /// <summary>Wraps the column, since that there is none is worth keeping too.</summary>
    private sealed record HeadColumn(CodedColumn? Column);
}

/// <summary>A string table as a dictionary of values: every value is a String.</summary>
internal sealed class StringDictionary(StringTable strings) : ValueDictionary
{
    public override int Count => strings.Count;

    public override AttributeType GetType(int code) => AttributeType.String;

    public override long GetBits(int code) => 0;

    public override ReadOnlySpan<byte> GetContent(int code) => strings[code];
}

/// <summary>Distinct values of one attribute of a batch: types and bits as in <see cref="AttributeTable"/>.</summary>
internal sealed class HeadDictionary(AttributeType[] types, long[] bits, StringTable strings) : ValueDictionary
{
    public override int Count => types.Length;

    public override AttributeType GetType(int code) => types[code];

    public override long GetBits(int code) => types[code].HasContent() ? 0 : bits[code];

    public override ReadOnlySpan<byte> GetContent(int code) => types[code].HasContent() ? strings[(int)bits[code]] : [];
}
