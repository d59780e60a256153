namespace Apm.Storage.Embedded.Rollups;

/// <summary>A rollup in memory.</summary>
internal sealed class Rollup : RollupSource
{
    private readonly RollupCells?[] _spans;
    private readonly RollupCells?[] _edges;

    /// <param name="spans">Cells by the minute, of all groups.</param>
    /// <param name="edges">Likewise.</param>
    public Rollup(SpanGroups groups, RollupCells spans, EdgeGroups edgeGroups, RollupCells edges)
    {
        Groups = groups;
        Edges = edgeGroups;
        _spans = Tiers(spans);
        _edges = Tiers(edges);
    }

    public override SpanGroups Groups { get; }

    public override EdgeGroups Edges { get; }

    public override (int First, int Last) EdgeMinutes => (_edges[0]!.FirstSlot, _edges[0]!.LastSlot);

    public override RollupCells? SpanCells(RollupTier tier) => _spans[(int)tier];

    public override RollupCells? EdgeCells(RollupTier tier) => _edges[(int)tier];

    /// <summary>The sum of rollups: that of the part which a merge makes of their parts. Memory is the output's and a bucket list.</summary>
    /// <param name="spans">What the spans of that part add up to, when not to the sum; null: to the sum.</param>
    public static Rollup Merge(IReadOnlyList<RollupSource> inputs, RollupSource? spans = null) => RollupMerge.Run(spans is null ? inputs : [spans], inputs);

    private static RollupCells?[] Tiers(RollupCells minutes)
    {
        var tenMinutes = minutes.Coarsen(RollupTiers.Minutes(RollupTier.TenMinutes));
        var hours = tenMinutes is not null
            ? tenMinutes.Coarsen(RollupTiers.Minutes(RollupTier.Hour) / RollupTiers.Minutes(RollupTier.TenMinutes))
            : minutes.Coarsen(RollupTiers.Minutes(RollupTier.Hour));
        return [minutes, tenMinutes, hours];
    }
}
