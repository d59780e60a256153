using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Where the blocks of a part begin, and its runs: rows of one block with the same trace id, one after another.</summary>
/// <param name="Starts">First row of each block, and the count of rows at the end.</param>
/// <param name="RunStarts">First row of each run, and the count of rows at the end. Each block begins with a run.</param>
internal sealed record BlockPlan(int[] Starts, int[] RunStarts)
{
    public int Blocks => Starts.Length - 1;

    public int RowsOf(int block) => Starts[block + 1] - Starts[block];

    /// <summary>First row of each run of the block, and its end.</summary>
    public ReadOnlySpan<int> RunsOf(int block)
    {
        var first = Array.BinarySearch(RunStarts, Starts[block]);
        var end = Array.BinarySearch(RunStarts, Starts[block + 1]);
        return RunStarts.AsSpan(first, end - first + 1);
    }

    /// <summary>Whole traces to a block where they fit; a longer trace fills blocks of its own. Log records: every block is full.</summary>
    /// <param name="idRuns">First row of each run of rows with the same trace id, and the count of rows at the end.</param>
    /// <param name="blockRows">At most <see cref="PartFormat.BlockRows"/>.</param>
    public static BlockPlan Of(Signal signal, ReadOnlySpan<int> idRuns, int blockRows = PartFormat.BlockRows)
    {
        var starts = new List<int> { 0 };
        var runs = new List<int>(idRuns.Length);
        for (var run = 0; run + 1 < idRuns.Length; run++)
        {
            var (start, end) = (idRuns[run], idRuns[run + 1]);
            if (signal == Signal.Traces && end - starts[^1] > blockRows && start > starts[^1])
            {
                starts.Add(start);
            }
            runs.Add(start);
            while (end - starts[^1] > blockRows)
            {
                starts.Add(starts[^1] + blockRows);
                if (starts[^1] > start)
                {
                    runs.Add(starts[^1]);
                }
            }
        }
        runs.Add(idRuns[^1]);
        starts.Add(idRuns[^1]);
        return new BlockPlan([.. starts], [.. runs]);
    }
}
