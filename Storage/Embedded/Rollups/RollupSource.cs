namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// The spans of a source added up by group and minute, and the edges that they add to those of the sources before: in memory (<see cref="Rollup"/>) or
/// on disk (<see cref="RollupFile"/>). Immutable; any number of threads.
/// </summary>
internal abstract class RollupSource
{
    /// <summary>Of the view <see cref="RollupView.Resource"/>.</summary>
    public abstract SpanGroups Groups { get; }

    public abstract EdgeGroups Edges { get; }

    /// <summary>Null when the view is not kept; that of resources always is.</summary>
    public virtual SpanGroups? GroupsOf(RollupView view) => view == RollupView.Resource ? Groups : null;

    /// <summary>
    /// Cells of <see cref="GroupsOf"/>; null where a tier is not kept, as the finer one, or that of a view that tells more apart, is not much larger. Minutes by
    /// resource are always there.
    /// </summary>
    public abstract CellChunks? SpanCells(RollupView view, RollupTier tier);

    /// <summary>Cells of <see cref="Edges"/>; likewise. Minutes may lie outside those of the source's rows: a late span corrects edges counted before.</summary>
    public abstract CellChunks? EdgeCells(RollupTier tier);

    /// <summary>First and last minute of the edges; none when the last is before the first. Known without reading.</summary>
    public (int First, int Last) EdgeMinutes => EdgeCells(RollupTier.Minute) is { } minutes ? (minutes.FirstSlot, minutes.LastSlot) : (int.MaxValue, int.MinValue);

    /// <summary>The fewest cells that tell apart what a view does, of a tier not wider than <paramref name="wanted"/>.</summary>
    public (RollupView View, RollupTier Tier, CellChunks Cells) FewestSpanCells(RollupView view, RollupTier wanted)
    {
        for (; ; view = RollupViews.FinerOf(view))
        {
            for (var tier = wanted; GroupsOf(view) is not null; tier--)
            {
                if (SpanCells(view, tier) is { } cells)
                {
                    return (view, tier, cells);
                }
                if (tier == RollupTier.Minute)
                {
                    break;
                }
            }
        }
    }

    /// <summary>The widest tier that is kept and not wider than <paramref name="wanted"/>.</summary>
    public (RollupTier Tier, CellChunks Cells) EdgeCellsUpTo(RollupTier wanted)
    {
        while (true)
        {
            if (EdgeCells(wanted) is { } cells)
            {
                return (wanted, cells);
            }
            wanted--;
        }
    }
}
