using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <summary>Which blocks of a batch hold rows of a trace: an open-addressing table of (hash of the trace id, block). A false answer costs reading a block in vain.</summary>
internal sealed class TraceBlocks
{
    private ulong[] _hashes = new ulong[256];
    private int[] _blocks = new int[256];
    private int _count;

    public TraceBlocks(ReadOnlySpan<TraceId> traceIds, int blockRows)
    {
        var previous = default(TraceId);
        var previousBlock = -1;
        for (var row = 0; row < traceIds.Length; row++)
        {
            var block = row / blockRows;
            var id = traceIds[row];
            if (id.IsZero || (block == previousBlock && id == previous))
            {
                continue;
            }
            previous = id;
            previousBlock = block;
            Add(HashOf(id), block);
        }
    }

    public void Find(TraceId traceId, List<int> blocks)
    {
        var hash = HashOf(traceId);
        var mask = _hashes.Length - 1;
        for (var slot = (int)hash & mask; _hashes[slot] != 0; slot = (slot + 1) & mask)
        {
            if (_hashes[slot] == hash)
            {
                blocks.Add(_blocks[slot]);
            }
        }
    }

    /// <summary>Never 0, which marks an empty slot.</summary>
    private static ulong HashOf(TraceId id) => FingerprintSet.Mix(id.High, id.Low) | 1UL << 63;

    private void Add(ulong hash, int block)
    {
        if (_count * 2 >= _hashes.Length)
        {
            Grow();
        }
        var mask = _hashes.Length - 1;
        var slot = (int)hash & mask;
        while (_hashes[slot] != 0)
        {
            if (_hashes[slot] == hash && _blocks[slot] == block)
            {
                return;
            }
            slot = (slot + 1) & mask;
        }
        _hashes[slot] = hash;
        _blocks[slot] = block;
        _count++;
    }

    private void Grow()
    {
        var (hashes, blocks) = (_hashes, _blocks);
        _hashes = new ulong[hashes.Length * 2];
        _blocks = new int[hashes.Length * 2];
        var mask = _hashes.Length - 1;
        for (var i = 0; i < hashes.Length; i++)
        {
            if (hashes[i] == 0)
            {
                continue;
            }
            var slot = (int)hashes[i] & mask;
            while (_hashes[slot] != 0)
            {
                slot = (slot + 1) & mask;
            }
            _hashes[slot] = hashes[i];
            _blocks[slot] = blocks[i];
        }
    }
}
