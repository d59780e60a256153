using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded;

/// <summary>
/// Rows of one signal as a search sees them: a batch of the head, or a part on disk. Immutable; used by many queries at once. The
/// <see cref="SourceLease"/> that a query holds keeps it open.
/// </summary>
internal abstract class RowSource
{
    public abstract Signal Signal { get; }

    public abstract int BlockCount { get; }

    public abstract long RowCount { get; }

    /// <summary>Earliest <see cref="ColumnBatch.TimeUnixNano"/>, inclusive.</summary>
    public abstract long FirstTimeUnixNano { get; }

    /// <summary>Latest <see cref="ColumnBatch.TimeUnixNano"/>, inclusive.</summary>
    public abstract long LastTimeUnixNano { get; }

    /// <summary>The resources and scopes that the rows refer to, without rows of its own: only the resource and scope columns and their strings are filled.</summary>
    public abstract ColumnBatch Owners { get; }

    /// <summary>Attribute keys that any row has, with about how many rows have each: scopes Record, Event and Link (resources and scopes are in <see cref="Owners"/>).</summary>
    public abstract IReadOnlyList<AttributeName> AttributeNames { get; }

    /// <summary>What the spans add up to, or null when that is not known: then the rows are read.</summary>
    public virtual Rollups.RollupSource? Rollup => null;

    /// <summary>Told that the rollup is damaged or gone: <see cref="Rollup"/> is null until it is made again.</summary>
    public virtual void RejectRollup(Rollups.RollupSource rollup)
    {
    }

    public abstract BlockBounds GetBounds(int block);

    /// <summary>
    /// False only when no row of the block can have a value of the field equal to <paramref name="value"/>: asked before a block is read.
    /// For intrinsics and scopes it knows nothing of, true.
    /// </summary>
    public abstract bool MayEqual(int block, Field field, in AttributeValue value);

    /// <summary>
    /// The indexes answer for all blocks at once and from memory: asking each block costs no more than a look at what it has. Else a question about a block may read
    /// from the disk.
    /// </summary>
    public virtual bool AnswersAtOnce => false;

    /// <summary>The blocks, a bit each, for which <see cref="MayEqual"/> is true of one of the values; null when each block is to be asked. A word of bits at least.</summary>
    public virtual ulong[]? BlocksMayEqual(Field field, IReadOnlyList<AttributeValue> values) => null;

    /// <summary>What the source knows of a column of record attributes, or of an intrinsic, before any block is read; null when nothing.</summary>
    public virtual ColumnIndex? IndexOf(Field field) => null;

    /// <summary>Bit (number mod 64) is set for each resource in the block.</summary>
    public virtual ulong ResourceMask(int block) => ulong.MaxValue;

    /// <summary>Bit (value mod 64) is set for each value in the block, of kind, status or severity number.</summary>
    public virtual ulong ByteMask(Intrinsic intrinsic, int block) => ulong.MaxValue;

    /// <summary>Adds the blocks that may hold rows of the trace.</summary>
    public abstract void FindTrace(TraceId traceId, List<int> blocks);

    /// <summary>Opens a block; columns are read and decoded when they are first asked for. The caller disposes it.</summary>
    /// <exception cref="CorruptPartException">The bytes on disk are damaged.</exception>
    public abstract RowBlock OpenBlock(int block);
}

/// <param name="MaxDurationNano">Longest span; 0 for log records.</param>
internal readonly record struct BlockBounds(int Rows, long FirstTimeUnixNano, long LastTimeUnixNano, long MinDurationNano, long MaxDurationNano);

/// <summary>What an index says of one column. Immutable.</summary>
internal abstract class ColumnIndex
{
    /// <summary>Every value that the column has in the source; null when each block has values of its own.</summary>
    public abstract ValueDictionary? Values { get; }

    /// <summary>Bit (code mod 64) is set for each code in the block; all bits without <see cref="Values"/>; 0 when no row of the block has the attribute.</summary>
    public abstract ulong CodeMask(int block);

    /// <summary>The lowest and highest value in the block when all are integers, else null.</summary>
    public virtual (long Lowest, long Highest)? Range(int block) => null;

    /// <summary>False only when no text in the block has all these sequences (<see cref="Encodings.TextFilter"/>).</summary>
    public virtual bool MayContain(int block, ReadOnlySpan<int> grams) => true;

    /// <summary>The blocks, a bit each, for which <see cref="MayContain"/> is true; null when each block is to be asked.</summary>
    public virtual ulong[]? BlocksMayContain(ReadOnlySpan<int> grams) => null;
}
