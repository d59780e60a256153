using System.Buffers;

namespace Apm.Storage.Embedded.Parts;

/// <summary>The events, or the links, of the rows of a part being sealed, in the order of their rows. Holds pooled memory until it is disposed.</summary>
internal sealed class ChildOrder : IDisposable
{
    private readonly int[][] _ends;
    private RowRef[] _children = ArrayPool<RowRef>.Shared.Rent(256);
    private int _count;

    /// <param name="ends">Of each batch, one past the last child of each of its rows.</param>
    public ChildOrder(ReadOnlySpan<RowRef> rows, BlockPlan plan, int[][] ends)
    {
        _ends = ends;
        Starts = new int[plan.Starts.Length];
        for (var block = 0; block < plan.Blocks; block++)
        {
            foreach (var row in rows[plan.Starts[block]..plan.Starts[block + 1]])
            {
                var (first, end) = ChildrenOf(row);
                for (var child = first; child < end; child++)
                {
                    Add(new RowRef(row.Batch, child));
                }
            }
            Starts[block + 1] = _count;
        }
    }

    /// <summary>The first child of each block, and the count of children at the end.</summary>
    public int[] Starts { get; }

    public ReadOnlySpan<RowRef> Children => _children.AsSpan(0, _count);

    public ReadOnlySpan<RowRef> ChildrenOf(int block) => Children[Starts[block]..Starts[block + 1]];

    /// <summary>How many each row has.</summary>
    public void ReadCounts(ReadOnlySpan<RowRef> rows, Span<long> counts)
    {
        for (var i = 0; i < counts.Length; i++)
        {
            var (first, end) = ChildrenOf(rows[i]);
            counts[i] = end - first;
        }
    }

    public void Dispose() => ArrayPool<RowRef>.Shared.Return(_children);

    private (int First, int End) ChildrenOf(RowRef row)
    {
        var ends = _ends[row.Batch];
        return (row.Row == 0 ? 0 : ends[row.Row - 1], ends[row.Row]);
    }

    private void Add(RowRef child)
    {
        if (_count == _children.Length)
        {
            var larger = ArrayPool<RowRef>.Shared.Rent(_count * 2);
            _children.CopyTo(larger.AsSpan());
            ArrayPool<RowRef>.Shared.Return(_children);
            _children = larger;
        }
        _children[_count++] = child;
    }
}
