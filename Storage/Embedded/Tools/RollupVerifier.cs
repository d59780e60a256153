using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Rollups;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Tools;

/// <summary>
/// Checks a rollup file against its part: all of it decodes, and it counts what the rows count. That of a part sealed from memory equals one made anew, cell by
/// cell; of a merged part, whose rollup is a sum and has groups in another order, in all. Edges depend on the parts before, so they are read only.
/// </summary>
internal static class RollupVerifier
{
    private const long CacheBytes = 16L << 20;

    public static IReadOnlyList<FileFinding> Verify(IFileSystem files, string path, PartSource part, int level)
    {
        var findings = new List<FileFinding>();
        try
        {
            using var stored = RollupFile.Open(files, path, new ChunkCache(CacheBytes));
            var made = RollupBuilder.Build(part);
            _ = stored.Edges;
            foreach (var tier in Enum.GetValues<RollupTier>())
            {
                _ = Count(stored.EdgeCells(tier));
                foreach (var view in Enum.GetValues<RollupView>())
                {
                    if (stored.SpanCells(view, tier) is { } cells && Count(cells) is var count && count != part.RowCount)
                    {
                        findings.Add(new FileFinding(path, 0, $"the rollup counts {count} spans by {view} and {RollupTiers.Minutes(tier)} minutes, the part has {part.RowCount}"));
                    }
                }
            }
            if (findings.Count == 0 && level == 0 && Difference(stored, made) is { } difference)
            {
                findings.Add(new FileFinding(path, 0, difference));
            }
        }
        catch (FileNotFoundException)
        {
            return findings; // it went with its part, or is being made
        }
        catch (CorruptPartException damage)
        {
            findings.Add(new FileFinding(damage.Path, damage.Offset, damage.Message));
        }
        catch (NotSupportedException newer)
        {
            findings.Add(new FileFinding(path, 8, newer.Message));
        }
        return findings;
    }

    private static long Count(CellChunks? chunks)
    {
        var sum = new CellSum();
        for (var chunk = 0; chunk < (chunks?.Count ?? 0); chunk++)
        {
            var cells = chunks!.Load(chunk);
            for (var cell = 0; cell < cells.Count; cell++)
            {
                cells.AddTo(sum, cell, withDurations: true);
            }
        }
        return sum.Count;
    }

    private static string? Difference(RollupSource stored, RollupSource made)
    {
        var (groups, expected) = (stored.Groups, made.Groups);
        if (groups.Count != expected.Count)
        {
            return $"the rollup has {groups.Count} groups, the rows make {expected.Count}";
        }
        for (var group = 0; group < groups.Count; group++)
        {
            if (groups.Kinds[group] != expected.Kinds[group] || groups.Statuses[group] != expected.Statuses[group] || groups.Roots[group] != expected.Roots[group]
                || Name(groups, group) != Name(expected, group))
            {
                return $"group {group} of the rollup is not that of the rows";
            }
        }
        var cells = RollupMerge.All(stored.SpanCells(RollupView.Resource, RollupTier.Minute)!, groups.Count);
        var wanted = RollupMerge.All(made.SpanCells(RollupView.Resource, RollupTier.Minute)!, expected.Count);
        if (cells.Count != wanted.Count)
        {
            return $"the rollup has {cells.Count} cells, the rows make {wanted.Count}";
        }
        var (sum, expectedSum) = (new CellSum(), new CellSum());
        for (var cell = 0; cell < cells.Count; cell++)
        {
            sum.Clear();
            expectedSum.Clear();
            cells.AddTo(sum, cell, withDurations: true);
            wanted.AddTo(expectedSum, cell, withDurations: true);
            if (cells.SlotOf(cell) != wanted.SlotOf(cell) || sum.Count != expectedSum.Count || sum.Errors != expectedSum.Errors || sum.SumNano != expectedSum.SumNano
                || !sum.Buckets.SequenceEqual(expectedSum.Buckets))
            {
                return $"cell {cell} of the rollup, minute {cells.SlotOf(cell)}, is not what the rows add up to";
            }
        }
        return null;
    }

    private static string? Name(SpanGroups groups, int group) => groups.Names[group] == SpanGroups.Unknown ? null : groups.Strings.GetString(groups.Names[group]);
}
