using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// A filter compiled for one query: finds the matching ones among given rows of a block. Used by one thread. What it found out about the values of a
/// dictionary, or the resources of a source, it keeps.
/// </summary>
internal abstract class FilterNode
{
    /// <summary>About what a row costs, to try the cheap conditions of a conjunction first.</summary>
    public abstract int Cost { get; }

    /// <summary>False only when no row of the block can match: asked before the block is opened.</summary>
    public virtual bool MayMatch(RowSource source, int block) => true;

    /// <summary>False only when no row of the source can match.</summary>
    public virtual bool MayMatch(RowSource source) => true;

    /// <summary>Which index says that no row of a block, or of the source, can match; asked when one does.</summary>
    public virtual string SkippedBy(RowSource source, int block) => "filter";

    /// <summary>Sets <paramref name="result"/> to the rows of <paramref name="within"/> that match. The two must not be the same memory.</summary>
    public abstract void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result);

    /// <summary>A mask that the node owns, at least as long as asked for.</summary>
    protected static Span<ulong> Scratch(ref ulong[] owned, int words)
    {
        if (owned.Length < words)
        {
            owned = new ulong[words];
        }
        return owned.AsSpan(0, words);
    }
}

internal sealed class ConstantNode(bool value) : FilterNode
{
    public override int Cost => 0;

    public override bool MayMatch(RowSource source, int block) => value;

    public override bool MayMatch(RowSource source) => value;

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        if (value)
        {
            within.CopyTo(result);
        }
        else
        {
            result.Clear();
        }
    }
}

internal sealed class AndNode(List<FilterNode> operands) : FilterNode
{
    private readonly FilterNode[] _operands = [.. operands.OrderBy(operand => operand.Cost)];
    private ulong[] _remaining = [];

    public override int Cost { get; } = operands.Sum(operand => operand.Cost);

    public override bool MayMatch(RowSource source, int block) => Array.TrueForAll(_operands, operand => operand.MayMatch(source, block));

    public override bool MayMatch(RowSource source) => Array.TrueForAll(_operands, operand => operand.MayMatch(source));

    public override string SkippedBy(RowSource source, int block) =>
        (Array.Find(_operands, operand => !operand.MayMatch(source) || !operand.MayMatch(source, block)) ?? _operands[0]).SkippedBy(source, block);

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        var remaining = Scratch(ref _remaining, within.Length);
        within.CopyTo(remaining);
        foreach (var operand in _operands)
        {
            operand.Evaluate(source, block, remaining, result);
            if (RowMask.IsEmpty(result))
            {
                return;
            }
            result.CopyTo(remaining);
        }
    }
}

internal sealed class OrNode(List<FilterNode> operands) : FilterNode
{
    private readonly FilterNode[] _operands = [.. operands.OrderBy(operand => operand.Cost)];
    private ulong[] _remaining = [];
    private ulong[] _found = [];

    public override int Cost { get; } = operands.Sum(operand => operand.Cost);

    public override bool MayMatch(RowSource source, int block) => Array.Exists(_operands, operand => operand.MayMatch(source, block));

    public override bool MayMatch(RowSource source) => Array.Exists(_operands, operand => operand.MayMatch(source));

    public override string SkippedBy(RowSource source, int block) => _operands.Length == 0 ? "filter" : _operands[^1].SkippedBy(source, block);

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        var remaining = Scratch(ref _remaining, within.Length);
        var found = Scratch(ref _found, within.Length);
        within.CopyTo(remaining);
        result.Clear();
        foreach (var operand in _operands)
        {
            if (RowMask.IsEmpty(remaining))
            {
                return;
            }
            operand.Evaluate(source, block, remaining, found);
            RowMask.Or(result, found);
            RowMask.AndNot(remaining, found);
        }
    }
}

internal sealed class NotNode(FilterNode operand) : FilterNode
{
    private ulong[] _found = [];

    public override int Cost => operand.Cost;

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        var found = Scratch(ref _found, within.Length);
        operand.Evaluate(source, block, within, found);
        within.CopyTo(result);
        RowMask.AndNot(result, found);
    }
}

/// <summary>The span's duration in an interval, or outside it.</summary>
internal sealed class DurationNode(long low, long high, bool inverted) : FilterNode
{
    public override string SkippedBy(RowSource source, int block) => "duration";

    public override int Cost => 1;

    public override bool MayMatch(RowSource source, int block)
    {
        var bounds = source.GetBounds(block);
        return inverted
            ? bounds.MinDurationNano < low || bounds.MaxDurationNano > high
            : bounds.MaxDurationNano >= low && bounds.MinDurationNano <= high;
    }

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        RowMask.Between(block.DurationNano, low, high, result);
        if (inverted)
        {
            for (var i = 0; i < result.Length; i++)
            {
                result[i] = within[i] & ~result[i];
            }
        }
        else
        {
            RowMask.And(result, within);
        }
    }
}

/// <summary>Kind, status or severity number: a verdict for each of the 256 values.</summary>
internal sealed class ByteNode : FilterNode
{
    private readonly Intrinsic _intrinsic;
    private readonly bool[] _verdicts = new bool[256];
    private readonly ulong _mask;

    public ByteNode(Intrinsic intrinsic, ValuePredicate predicate)
    {
        _intrinsic = intrinsic;
        for (var value = 0; value < _verdicts.Length; value++)
        {
            _verdicts[value] = predicate.Matches(Telemetry.Attributes.AttributeType.Int64, value, []);
            _mask |= _verdicts[value] ? 1UL << (value & 63) : 0;
        }
    }

    public override int Cost => 1;

    public override bool MayMatch(RowSource source, int block) => (_mask & source.ByteMask(_intrinsic, block)) != 0;

    public override string SkippedBy(RowSource source, int block) => "values";

    public override void Evaluate(RowSource source, RowBlock block, ReadOnlySpan<ulong> within, Span<ulong> result)
    {
        var values = _intrinsic switch
        {
            Intrinsic.Kind => block.Kinds,
            Intrinsic.Status => block.Statuses,
            _ => block.SeverityNumbers,
        };
        ReadOnlySpan<bool> verdicts = _verdicts;
        for (var word = 0; word < result.Length; word++)
        {
            ulong bits = 0;
            if (within[word] != 0)
            {
                var chunk = values[(word << 6)..Math.Min(values.Length, (word + 1) << 6)];
                for (var i = 0; i < chunk.Length; i++)
                {
                    bits |= verdicts[chunk[i]] ? 1UL << i : 0;
                }
            }
            result[word] = bits & within[word];
        }
    }
}
