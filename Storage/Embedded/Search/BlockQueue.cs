namespace Apm.Storage.Embedded.Search;

/// <summary>
/// The blocks of several sources, best key first, each with a bound that no row in it exceeds. A source's blocks are only looked at when the source's own
/// bound has become the best: the newest rows of thousands of parts are found without touching most of them.
/// </summary>
/// <param name="sourceKey">No block of the source has a higher key.</param>
/// <param name="blockKey">Null when the block need not be read.</param>
/// <param name="mayMatch">False when no block of the source need be read; asked when the source is looked at.</param>
internal sealed class BlockQueue(Func<RowSource, long> sourceKey, Func<RowSource, int, long?> blockKey, Func<RowSource, bool> mayMatch)
{
    private readonly PriorityQueue<(RowSource Source, int Block), (long Key, int Order)> _queue = new(BestFirst.Instance);
    private int _order;

    public void Add(RowSource source) => _queue.Enqueue((source, -1), (sourceKey(source), _order++));

    /// <summary>The next block, and the key that none of the remaining ones exceeds.</summary>
    public bool TryTake(out RowSource source, out int block, out long key)
    {
        while (_queue.TryDequeue(out var item, out var priority))
        {
            if (item.Block >= 0)
            {
                (source, block) = item;
                key = priority.Key;
                return true;
            }
            for (var i = 0; i < item.Source.BlockCount && (i > 0 || mayMatch(item.Source)); i++)
            {
                if (blockKey(item.Source, i) is { } found)
                {
                    _queue.Enqueue((item.Source, i), (found, _order++));
                }
            }
        }
        source = null!;
        block = -1;
        key = long.MinValue;
        return false;
    }

    private sealed class BestFirst : IComparer<(long Key, int Order)>
    {
        public static readonly BestFirst Instance = new();

        public int Compare((long Key, int Order) left, (long Key, int Order) right)
        {
            var order = right.Key.CompareTo(left.Key);
            return order != 0 ? order : left.Order.CompareTo(right.Order);
        }
    }
}
