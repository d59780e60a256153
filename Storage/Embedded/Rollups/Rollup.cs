namespace Apm.Storage.Embedded.Rollups;

/// <summary>A rollup in memory, in minutes only: files have the wider tiers and views.</summary>
/// <param name="spans">Cells by the minute, of all groups.</param>
/// <param name="edges">Likewise.</param>
internal sealed class Rollup(SpanGroups groups, RollupCells spans, EdgeGroups edgeGroups, RollupCells edges) : RollupSource
{
    private readonly CellChunks _spans = CellChunks.Of(spans);
    private readonly CellChunks _edges = CellChunks.Of(edges);

    public override SpanGroups Groups => groups;

    public override EdgeGroups Edges => edgeGroups;

    public override CellChunks? SpanCells(RollupView view, RollupTier tier) => view == RollupView.Resource && tier == RollupTier.Minute ? _spans : null;

    public override CellChunks? EdgeCells(RollupTier tier) => tier == RollupTier.Minute ? _edges : null;

    /// <summary>The sum of rollups, in memory.</summary>
    public static Rollup Sum(IReadOnlyList<RollupSource> inputs)
    {
        var sum = new RollupMerge(inputs, inputs);
        return new Rollup(sum.Groups, RollupMerge.All(sum.SpanCells(RollupView.Resource, RollupTier.Minute)!, sum.Groups.Count), sum.Edges, RollupMerge.All(sum.EdgeCells(RollupTier.Minute)!, sum.Edges.Count));
    }
}
