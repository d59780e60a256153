using System.Diagnostics.CodeAnalysis;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Decoded directories, dictionaries, owners, blooms and index pages of all parts, the least recently used given up first when together they are above the bound.
/// What was given up lives on while a query holds it. Any number of threads; the lock is held for a look-up only, never while reading the disk.
/// </summary>
internal sealed class ChunkCache(long maxBytes)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(int Part, long Offset), LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new();
    private long _bytes;
    private int _nextPart;

    /// <summary>Bytes held now.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>A number under which a part's chunks are kept.</summary>
    public int NextPartNumber() => Interlocked.Increment(ref _nextPart);

    public bool TryGet<T>(int part, long offset, [NotNullWhen(true)] out T? value)
        where T : class
    {
        lock (_lock)
        {
            if (_entries.TryGetValue((part, offset), out var node))
            {
                _byUse.Remove(node);
                _byUse.AddFirst(node);
                value = (T)node.Value.Value;
                return true;
            }
        }
        value = null;
        return false;
    }

    /// <summary>Keeps the value, or returns the one that another thread has put there meanwhile.</summary>
    public T Add<T>(int part, long offset, T value, long bytes)
        where T : class
    {
        if (bytes > maxBytes)
        {
            return value;
        }
        lock (_lock)
        {
            if (_entries.TryGetValue((part, offset), out var existing))
            {
                return (T)existing.Value.Value;
            }
            _entries.Add((part, offset), _byUse.AddFirst(new Entry(part, offset, value, bytes)));
            _bytes += bytes;
            while (_bytes > maxBytes)
            {
                Remove(_byUse.Last!);
            }
        }
        return value;
    }

    /// <summary>Forgets what belongs to a part that is closed.</summary>
    public void RemovePart(int part)
    {
        lock (_lock)
        {
            for (var node = _byUse.First; node is not null;)
            {
                var next = node.Next;
                if (node.Value.Part == part)
                {
                    Remove(node);
                }
                node = next;
            }
        }
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        _byUse.Remove(node);
        _entries.Remove((node.Value.Part, node.Value.Offset));
        _bytes -= node.Value.Bytes;
    }

    private sealed record Entry(int Part, long Offset, object Value, long Bytes);
}
