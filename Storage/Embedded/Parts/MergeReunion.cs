using System.Numerics;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Finds the traces that several inputs have rows of. A first pass over all trace ids marks those seen before, by a table of 32-bit tags that costs 4 to 8
/// bytes a trace; a second finds where the marked ones are. A tag that two ids share costs a look-up and no more.
/// </summary>
internal sealed class MergeReunion
{
    private readonly MergeInput[] _inputs;
    private readonly HashSet<TraceId> _repeated = [];
    private readonly Dictionary<TraceId, (int First, int Last)> _chains = [];
    private readonly List<Fragment> _fragments = [];
    private TraceId[] _ids = [];

    public MergeReunion(MergeInput[] inputs, CancellationToken cancellation)
    {
        _inputs = inputs;
        if (inputs.Length > 1)
        {
            Mark(cancellation);
        }
        if (_repeated.Count > 0)
        {
            Locate(cancellation);
        }
    }

    /// <summary>The trace may have rows in several inputs.</summary>
    public bool MayContain(TraceId id) => _repeated.Count > 0 && _repeated.Contains(id);

    /// <summary>Takes the trace out, with its fragments in the order of the inputs; false when all its rows are in one place.</summary>
    public bool TryTake(TraceId id, List<Fragment> fragments)
    {
        fragments.Clear();
        if (!_chains.TryGetValue(id, out var chain) || chain.First == chain.Last)
        {
            return false;
        }
        for (var i = chain.First; i >= 0; i = _fragments[i].Next)
        {
            fragments.Add(_fragments[i]);
        }
        _chains[id] = (Taken, Taken - 1);
        return true;
    }

    public bool IsTaken(TraceId id) => _chains.TryGetValue(id, out var chain) && chain.First == Taken;

    private const int Taken = -2;

    private void Mark(CancellationToken cancellation)
    {
        var runs = 0L;
        foreach (var input in _inputs)
        {
            for (var block = 0; block < input.Blocks; block++)
            {
                runs += input.ReadRuns(block).Length;
            }
        }
        var tags = new uint[BitOperations.RoundUpToPowerOf2((ulong)(runs + (runs / 4) + 16))];
        foreach (var input in _inputs)
        {
            TraceId? before = null;
            for (var block = 0; block < input.Blocks; block++)
            {
                cancellation.ThrowIfCancellationRequested();
                var ids = MergeInput.Room(ref _ids, input.ReadRuns(block).Length);
                input.ReadTraceIds(block, ids);
                // A trace that goes on from the block before is no second one.
                foreach (var id in ids[(ids[0] == before ? 1 : 0)..])
                {
                    if (!AddTag(tags, id))
                    {
                        _repeated.Add(id);
                    }
                }
                before = ids[^1];
            }
        }
    }

    /// <summary>False when the id, or one with the same tag, was added before.</summary>
    private static bool AddTag(uint[] tags, TraceId id)
    {
        var hash = (id.Low ^ BitOperations.RotateLeft(id.High, 23)) * 0x9E3779B97F4A7C15UL;
        hash ^= hash >> 32;
        hash *= 0xD6E8FEB86659FD93UL;
        var tag = (uint)(hash >> 32) | 1;
        var mask = tags.Length - 1;
        for (var slot = (int)hash & mask; ; slot = (slot + 1) & mask)
        {
            if (tags[slot] == tag)
            {
                return false;
            }
            if (tags[slot] == 0)
            {
                tags[slot] = tag;
                return true;
            }
        }
    }

    private void Locate(CancellationToken cancellation)
    {
        for (var number = 0; number < _inputs.Length; number++)
        {
            for (var cursor = new MergeTraceCursor(_inputs[number]); !cursor.AtEnd;)
            {
                cancellation.ThrowIfCancellationRequested();
                var id = cursor.Id;
                if (!_repeated.Contains(id))
                {
                    cursor.MoveNext();
                    continue;
                }
                var (block, row, rows) = (cursor.Block, cursor.Row, 0L);
                bool goesOn;
                do
                {
                    goesOn = cursor.GoesOn;
                    rows += cursor.RowsInBlock;
                    cursor.MoveNext();
                }
                while (goesOn);
                Append(id, new Fragment(number, block, row, rows, Next: -1));
            }
        }
    }

    private void Append(TraceId id, Fragment fragment)
    {
        var added = _fragments.Count;
        _fragments.Add(fragment);
        if (_chains.TryGetValue(id, out var chain))
        {
            _fragments[chain.Last] = _fragments[chain.Last] with { Next = added };
            _chains[id] = (chain.First, added);
        }
        else
        {
            _chains.Add(id, (added, added));
        }
    }

    /// <summary>Rows of one trace in one input.</summary>
    /// <param name="Row">First row, in the block; further rows may be in the blocks that follow.</param>
    /// <param name="Next">The trace's next fragment, or -1.</param>
    internal readonly record struct Fragment(int Input, int Block, int Row, long Rows, int Next);
}
