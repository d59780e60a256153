namespace Apm.Storage.Embedded.Rollups;

/// <summary>Where a chunk of cells lies in time: slots from the first to the last, none of which is in another chunk of its tier.</summary>
/// <param name="Cells">How many there are.</param>
internal readonly record struct CellBounds(int FirstSlot, int LastSlot, int Cells);

/// <summary>The cells of one tier, cut by time into chunks that are had one by one, in the order of time. Immutable; any number of threads.</summary>
/// <param name="bounds">Ascending; slots of chunks do not overlap.</param>
/// <param name="load">A chunk by its index; throws <see cref="CorruptPartException"/> when it is damaged. Each has all groups of the tier.</param>
internal sealed class CellChunks(IReadOnlyList<CellBounds> bounds, Func<int, RollupCells> load)
{
    public int Count => bounds.Count;

    /// <summary>Above <see cref="LastSlot"/> when there are none.</summary>
    public int FirstSlot => bounds.Count == 0 ? int.MaxValue : bounds[0].FirstSlot;

    public int LastSlot => bounds.Count == 0 ? int.MinValue : bounds[^1].LastSlot;

    public CellBounds BoundsOf(int chunk) => bounds[chunk];

    public RollupCells Load(int chunk) => load(chunk);

    /// <summary>Cells in memory, as one chunk.</summary>
    public static CellChunks Of(RollupCells cells) =>
        new(cells.Count == 0 ? [] : [new CellBounds(cells.FirstSlot, cells.LastSlot, cells.Count)], _ => cells);

    /// <summary>The chunks that have slots in [<paramref name="from"/>, <paramref name="to"/>).</summary>
    public IEnumerable<RollupCells> In(int from, int to)
    {
        for (var chunk = FirstFrom(from); chunk < bounds.Count && bounds[chunk].FirstSlot < to; chunk++)
        {
            yield return load(chunk);
        }
    }

    /// <summary>The first chunk whose last slot is not before <paramref name="slot"/>.</summary>
    public int FirstFrom(int slot)
    {
        var (low, high) = (0, bounds.Count);
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (bounds[middle].LastSlot < slot)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }
}
