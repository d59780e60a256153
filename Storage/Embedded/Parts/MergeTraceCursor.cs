using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Goes through the traces of one input in their order. A trace may run over several blocks. One thread.</summary>
internal sealed class MergeTraceCursor
{
    private readonly MergeInput _input;
    private TraceBlock _block = new();
    private TraceBlock _ahead = new();
    private int _run;

    public MergeTraceCursor(MergeInput input)
    {
        _input = input;
        if (input.Blocks > 0)
        {
            _block.Read(input, 0);
            ReadAhead();
            First = _block.Starts[0];
        }
    }

    public bool AtEnd => Block >= _input.Blocks;

    /// <summary>Where the trace begins.</summary>
    public int Block { get; private set; }

    public int Row => _block.RunStarts[_run];

    public TraceId Id => _block.Ids[_run];

    /// <summary>Start of its first span, or of a trace before it: one that lost its first spans when they were left out has kept its place.</summary>
    public long First { get; private set; }

    /// <summary>Rows of the trace in its first block.</summary>
    public int RowsInBlock => _block.RunStarts[_run + 1] - Row;

    public bool AtBlockStart => _run == 0;

    /// <summary>The trace that the block ends with goes on in the next one.</summary>
    public bool BlockEndIsOpen => _ahead.Runs > 0 && _ahead.Ids[0] == _block.Ids[_block.Runs - 1];

    /// <summary>Of the last trace that begins in the block.</summary>
    public (long First, TraceId Id) LastOfBlock => (_block.Starts[_block.Runs - 1], _block.Ids[_block.Runs - 1]);

    /// <summary>The trace goes on in the next block.</summary>
    public bool GoesOn => _run == _block.Runs - 1 && BlockEndIsOpen;

    public ReadOnlySpan<TraceId> IdsOfBlock => _block.Ids.AsSpan(0, _block.Runs);

    /// <summary>First row of each run of the block, and its count of rows.</summary>
    public ReadOnlySpan<int> RunsOfBlock => _block.RunStarts.AsSpan(0, _block.Runs + 1);

    /// <summary>To the next run, which may be of the same trace, in the next block.</summary>
    public void MoveNext()
    {
        if (_run == _block.Runs - 1)
        {
            MoveToNextBlock();
            return;
        }
        _run++;
        Arrive(goesOn: false);
    }

    public void MoveToNextBlock()
    {
        var goesOn = BlockEndIsOpen;
        // The block's last trace, when the rest of the block was passed over.
        First = _run == _block.Runs - 1 ? First : _block.Starts[_block.Runs - 1];
        Block++;
        _run = 0;
        (_block, _ahead) = (_ahead, _block);
        ReadAhead();
        if (!AtEnd)
        {
            Arrive(goesOn);
        }
    }

    private void Arrive(bool goesOn)
    {
        if (!goesOn)
        {
            First = Math.Max(First, _block.Starts[_run]);
        }
    }

    private void ReadAhead()
    {
        _ahead.Runs = 0;
        if (Block + 1 < _input.Blocks)
        {
            _ahead.Read(_input, Block + 1);
        }
    }

    private sealed class TraceBlock
    {
        public int[] RunStarts = [];
        public TraceId[] Ids = [];
        public long[] Starts = [];

        public int Runs { get; set; }

        public void Read(MergeInput input, int block)
        {
            var lengths = input.ReadRuns(block);
            Runs = lengths.Length;
            var starts = MergeInput.Room(ref RunStarts, Runs + 1);
            for (var run = 0; run < Runs; run++)
            {
                starts[run + 1] = starts[run] + lengths[run];
            }
            input.ReadTraceIds(block, MergeInput.Room(ref Ids, Runs));
            input.ReadRunStarts(block, MergeInput.Room(ref Starts, Runs));
        }
    }
}
