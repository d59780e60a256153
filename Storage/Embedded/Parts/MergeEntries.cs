namespace Apm.Storage.Embedded.Parts;

/// <summary>Which values of a column, in an input's block, the rows of a segment have: a stretch without gaps. One thread.</summary>
internal abstract class MergeEntries
{
    public abstract (int First, int Count) Of(in MergeSegment segment);
}

/// <summary>A value for each row.</summary>
internal sealed class RowEntries : MergeEntries
{
    public override (int First, int Count) Of(in MergeSegment segment) => (segment.Row, segment.Rows);
}

/// <summary>A value for each event, or each link.</summary>
internal sealed class ChildEntries(MergeChildScope children) : MergeEntries
{
    public override (int First, int Count) Of(in MergeSegment segment) => children.OwnersOf(segment);
}

/// <summary>As many values of an attribute as each owner's shape says.</summary>
/// <param name="occurrences">How often each joined shape has the attribute.</param>
internal sealed class AttributeEntries(MergeScope scope, int inputs, int[] occurrences) : MergeEntries
{
    /// <summary>Per input: how far its block was counted. Segments mostly go on where the one before ended.</summary>
    private readonly (int Block, int Owner, int Entry)[] _reached = new (int, int, int)[inputs];

    public override (int First, int Count) Of(in MergeSegment segment)
    {
        var (owner, owners) = scope.OwnersOf(segment);
        ref var reached = ref _reached[segment.Input];
        if (reached.Block != segment.Block || reached.Owner > owner)
        {
            reached = (segment.Block, 0, 0);
        }
        var first = reached.Entry + scope.Sum(segment.Input, segment.Block, reached.Owner, owner - reached.Owner, occurrences);
        var count = scope.Sum(segment.Input, segment.Block, owner, owners, occurrences);
        reached = (segment.Block, owner + owners, first + count);
        return (first, count);
    }
}
