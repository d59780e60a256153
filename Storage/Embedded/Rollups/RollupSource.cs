namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// The spans of a source added up by group and minute, and the edges that they add to those of the sources before: in memory (<see cref="Rollup"/>) or
/// on disk (<see cref="RollupFile"/>). Immutable; any number of threads.
/// </summary>
internal abstract class RollupSource
{
    public abstract SpanGroups Groups { get; }

    public abstract EdgeGroups Edges { get; }

    /// <summary>Cells of <see cref="Groups"/>; null where a tier is not kept, as the finer one is as small.</summary>
    public abstract RollupCells? SpanCells(RollupTier tier);

    /// <summary>Cells of <see cref="Edges"/>; likewise. Minutes may lie outside those of the source's rows: a late span corrects edges counted before.</summary>
    public abstract RollupCells? EdgeCells(RollupTier tier);

    /// <summary>First and last minute of the edges; none when the last is before the first. Known without reading.</summary>
    public abstract (int First, int Last) EdgeMinutes { get; }
}
