using System.Runtime.InteropServices;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Which rows of which inputs make up the blocks of a merged part, in order. Immutable; 8 bytes a segment and 4 a run.</summary>
internal sealed class MergePlan
{
    private readonly MergeSegment[] _segments;
    private readonly int[] _starts;

    private MergePlan(BlockPlan blocks, MergeSegment[] segments, int[] starts, long duplicateRows, long rejectedRows)
    {
        Blocks = blocks;
        _segments = segments;
        _starts = starts;
        DuplicateRows = duplicateRows;
        RejectedRows = rejectedRows;
    }

    public BlockPlan Blocks { get; }

    public int Rows => Blocks.Starts[^1];

    /// <summary>Spans left out because a reunited trace has them twice.</summary>
    public long DuplicateRows { get; }

    /// <summary>Rows left out because of their resource.</summary>
    public long RejectedRows { get; }

    public ReadOnlySpan<MergeSegment> SegmentsOf(int block) => _segments.AsSpan(_starts[block].._starts[block + 1]);

    /// <summary>Collects a plan from front to back, and decides where blocks end.</summary>
    /// <param name="blockRows">Most rows of a block.</param>
    public sealed class Builder(int blockRows)
    {
        private readonly List<MergeSegment> _segments = [];
        private readonly List<int> _segmentStarts = [0];
        private readonly List<int> _blockStarts = [0];
        private readonly List<int> _runStarts = [];
        private int _rows;
        private bool _runPending;

        public long DuplicateRows { get; set; }

        public long RejectedRows { get; set; }

        /// <summary>Most rows of a block.</summary>
        public int BlockRows => blockRows;

        /// <summary>Rows in the block that is open.</summary>
        public int OpenRows => _rows - _blockStarts[^1];

        /// <summary>The rows to come have another trace id than those before.</summary>
        /// <param name="wholeRows">When more than 0: so many rows, which are kept in one block where they fit.</param>
        public void StartRun(int wholeRows)
        {
            if (OpenRows > 0 && wholeRows > blockRows - OpenRows)
            {
                EndBlock();
            }
            _runPending = true;
        }

        public void Add(int input, int block, int row, int rows)
        {
            while (rows > 0)
            {
                if (OpenRows == blockRows)
                {
                    EndBlock();
                }
                if (_runPending || OpenRows == 0)
                {
                    _runStarts.Add(_rows);
                    _runPending = false;
                }
                var count = Math.Min(rows, blockRows - OpenRows);
                AddSegment(input, block, row, count);
                _rows = checked(_rows + count);
                row += count;
                rows -= count;
            }
        }

        /// <summary>Ends the open block, if it has rows: the next begins with the rows to come.</summary>
        public void EndBlock()
        {
            if (OpenRows > 0)
            {
                _blockStarts.Add(_rows);
                _segmentStarts.Add(_segments.Count);
            }
        }

        public MergePlan Build()
        {
            EndBlock();
            _runStarts.Add(_rows);
            return new MergePlan(new BlockPlan([.. _blockStarts], [.. _runStarts]), [.. _segments], [.. _segmentStarts], DuplicateRows, RejectedRows);
        }

        private void AddSegment(int input, int block, int row, int rows)
        {
            if (_segments.Count > _segmentStarts[^1])
            {
                ref var last = ref CollectionsMarshal.AsSpan(_segments)[^1];
                if (last.Input == input && last.Block == block && last.End == row)
                {
                    last = new MergeSegment(input, block, last.Row, last.Rows + rows);
                    return;
                }
            }
            _segments.Add(new MergeSegment(input, block, row, rows));
        }
    }
}
