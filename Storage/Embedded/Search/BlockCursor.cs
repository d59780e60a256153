namespace Apm.Storage.Embedded.Search;

/// <summary>Blocks of one source, of which the last is read first.</summary>
internal readonly record struct BlockSpan(RowSource Source, int First, int Count);

/// <summary>Hands out the blocks of sources, the latest source first, to the strands of one query: each block once. Any number of threads.</summary>
/// <param name="sources">Latest first.</param>
internal sealed class BlockCursor(IReadOnlyList<RowSource> sources)
{
    /// <summary>
    /// Blocks handed out at once: as many as a part sealed from memory has, so that one strand finds out about the values of its dictionaries, and few
    /// enough that the strands end together.
    /// </summary>
    private const int BlocksAtOnce = 16;

    private readonly Lock _lock = new();
    private int _source;
    private int _left = sources.Count > 0 ? sources[0].BlockCount : 0;

    public bool TryTake(out BlockSpan blocks)
    {
        lock (_lock)
        {
            while (_source < sources.Count)
            {
                if (_left > 0)
                {
                    var count = Math.Min(_left, BlocksAtOnce);
                    _left -= count;
                    blocks = new BlockSpan(sources[_source], _left, count);
                    return true;
                }
                if (++_source < sources.Count)
                {
                    _left = sources[_source].BlockCount;
                }
            }
        }
        blocks = default;
        return false;
    }
}
