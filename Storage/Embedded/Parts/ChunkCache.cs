using System.Diagnostics.CodeAnalysis;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Decoded directories, dictionaries, owners, index pages and, before part version 3, blooms of all parts, the least recently used given up first when together they are above the bound.
/// Small entries (index pages, blooms), which come by the thousand and are read again in microseconds, and large ones (directories of merged parts,
/// dictionaries), which take milliseconds, have half the bound each when both want it: neither drives out the other.
/// What was given up lives on while a query holds it. Any number of threads; the lock is held for a look-up only, never while reading the disk.
/// </summary>
internal sealed class ChunkCache(long maxBytes)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(int Part, long Offset), LinkedListNode<Entry>> _entries = [];
    /// <summary>From this size on an entry is large. 64 KiB: an index page has 6, the directory of a part fresh from the head 40.</summary>
    private const long LargeBytes = 64 << 10;

    /// <summary>The latest used first.</summary>
    private readonly LinkedList<Entry> _small = new();
    private readonly LinkedList<Entry> _large = new();
    private long _bytes;
    private long _largeBytes;
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
                var byUse = ByUse(node.Value);
                byUse.Remove(node);
                byUse.AddFirst(node);
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
            var entry = new Entry(part, offset, value, bytes);
            _entries.Add((part, offset), ByUse(entry).AddFirst(entry));
            Count(entry, 1);
            while (_bytes > maxBytes)
            {
                // A large one alone may have more than half.
                var byUse = _largeBytes > maxBytes / 2 && (_large.Count > 1 || _small.Count == 0) ? _large : _small;
                Remove(byUse.Last!);
            }
        }
        return value;
    }

    /// <summary>Forgets what belongs to a part that is closed.</summary>
    public void RemovePart(int part)
    {
        lock (_lock)
        {
            foreach (var list in new[] { _small, _large })
            {
                for (var node = list.First; node is not null;)
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
    }

    private LinkedList<Entry> ByUse(Entry entry) => entry.Bytes >= LargeBytes ? _large : _small;

    private void Count(Entry entry, int sign)
    {
        _bytes += sign * entry.Bytes;
        _largeBytes += entry.Bytes >= LargeBytes ? sign * entry.Bytes : 0;
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        ByUse(node.Value).Remove(node);
        _entries.Remove((node.Value.Part, node.Value.Offset));
        Count(node.Value, -1);
    }

    private sealed record Entry(int Part, long Offset, object Value, long Bytes);
}
