namespace Apm.TestKit;

/// <summary>One crash: what it keeps, and the nodes that were copied to the disk after it.</summary>
internal sealed class CrashDraw(CrashKeeps keeps, Random? random)
{
    private readonly int _salt = random?.Next() ?? 0;

    public CrashKeeps Keeps => keeps;

    public Random Random => random!;

    public Dictionary<MemoryNode, MemoryNode> Copies { get; } = new(ReferenceEqualityComparer.Instance);

    /// <summary>The halves of one operation, in two directories, survive together.</summary>
    public bool Survives(int operation) => new Random(_salt ^ (operation * 7919)).Next(2) == 0;
}

internal abstract class MemoryNode
{
    public abstract MemoryNode AfterCrash(CrashDraw crash);
}

/// <summary>One atomic change of a directory: the name now means the node (null: gone), and a renamed file's old name is gone.</summary>
/// <param name="Operation">Index of the operation that made it.</param>
internal sealed record NameChange(int Operation, string Name, MemoryNode? Node, string? OldName = null);

internal sealed class MemoryDirectory : MemoryNode
{
    private readonly Dictionary<string, MemoryNode> _current = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MemoryNode> _durable = new(StringComparer.Ordinal);
    private readonly List<NameChange> _unsynced = [];

    public IEnumerable<string> Names => _current.Keys;

    public MemoryNode? Find(string name) => _current.GetValueOrDefault(name);

    public void Change(NameChange change)
    {
        Apply(_current, change);
        _unsynced.Add(change);
    }

    public void Sync()
    {
        foreach (var change in _unsynced)
        {
            Apply(_durable, change);
        }
        _unsynced.Clear();
    }

    public long UsedBytes() => _current.Values.Sum(static node => node is MemoryDirectory directory ? directory.UsedBytes() : ((MemoryFile)node).Length);

    public override MemoryNode AfterCrash(CrashDraw crash)
    {
        IEnumerable<NameChange> kept = crash.Keeps switch
        {
            CrashKeeps.SyncedOnly => [],
            CrashKeeps.Everything => _unsynced,
            CrashKeeps.AnyOrder => _unsynced.Where(change => crash.Survives(change.Operation)),
            _ => _unsynced.Take(crash.Random.Next(_unsynced.Count + 1)),
        };
        var names = new Dictionary<string, MemoryNode>(_durable, StringComparer.Ordinal);
        foreach (var change in kept)
        {
            Apply(names, change);
        }
        var copy = new MemoryDirectory();
        foreach (var (name, node) in names)
        {
            if (!crash.Copies.TryGetValue(node, out var copied))
            {
                copied = node.AfterCrash(crash);
                crash.Copies.Add(node, copied);
            }
            copy._current.Add(name, copied);
            copy._durable.Add(name, copied);
        }
        return copy;
    }

    private static void Apply(Dictionary<string, MemoryNode> names, NameChange change)
    {
        if (change.OldName is { } old)
        {
            names.Remove(old);
        }
        if (change.Node is { } node)
        {
            names[change.Name] = node;
        }
        else
        {
            names.Remove(change.Name);
        }
    }
}

/// <summary>A file's bytes as the process sees them and as they are on the disk, and the writes between the two.</summary>
internal sealed class MemoryFile : MemoryNode
{
    /// <summary>What a disk writes whole or not at all.</summary>
    private const int SectorBytes = 512;

    /// <summary>Content null: the length was set.</summary>
    private readonly List<(long Offset, long LengthBytes, byte[]? Content)> _unsynced = [];
    private byte[] _current = [];
    private byte[] _durable = [];

    public long Length { get; private set; }

    /// <summary>Where it was last created, opened or renamed to; for the log of operations.</summary>
    public string Path { get; set; } = "";

    public int Read(Span<byte> buffer, long offset)
    {
        if (offset >= Length)
        {
            return 0;
        }
        var count = (int)Math.Min(buffer.Length, Length - offset);
        _current.AsSpan((int)offset, count).CopyTo(buffer);
        return count;
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        var end = checked((int)(offset + bytes.Length));
        Reserve(end);
        bytes.CopyTo(_current.AsSpan((int)offset));
        Length = Math.Max(Length, end);
        _unsynced.Add((offset, bytes.Length, bytes.ToArray()));
    }

    public void SetLength(long lengthBytes)
    {
        var length = checked((int)lengthBytes);
        Reserve(length);
        if (length < Length)
        {
            _current.AsSpan(length, (int)Length - length).Clear();
        }
        _unsynced.Add((Math.Min(length, Length), Math.Abs(length - Length), null));
        Length = length;
    }

    public void Sync()
    {
        if (_unsynced.Count == 0)
        {
            return;
        }
        Array.Resize(ref _durable, (int)Length);
        foreach (var (offset, length, _) in _unsynced)
        {
            CopyRange(_durable, offset, length);
        }
        _unsynced.Clear();
    }

    /// <summary>A failed sync: the system drops the dirty pages, the process still reads them.</summary>
    public void ForgetUnsynced() => _unsynced.Clear();

    public byte[] Snapshot() => _current.AsSpan(0, (int)Length).ToArray();

    public void Replace(Action<byte[]> change)
    {
        var bytes = Snapshot();
        change(bytes);
        _current = bytes;
        _durable = [.. bytes];
        Length = bytes.Length;
        _unsynced.Clear();
    }

    public override MemoryNode AfterCrash(CrashDraw crash)
    {
        var bytes = crash.Keeps switch
        {
            CrashKeeps.Everything => Snapshot(),
            CrashKeeps.Prefix => Prefix(crash.Random),
            CrashKeeps.Sectors => Sectors(crash.Random),
            CrashKeeps.AnyOrder => AnyOrder(crash.Random),
            _ => [.. _durable],
        };
        return new MemoryFile { _current = bytes, _durable = [.. bytes], Length = bytes.Length };
    }

    /// <summary>Some of the writes with their own bytes, one over another; the length is that before, that now, or where a write ended.</summary>
    private byte[] AnyOrder(Random random)
    {
        var kept = _unsynced.Where(_ => random.Next(2) == 0).ToArray();
        random.Shuffle(kept);
        long length = _durable.Length;
        foreach (var write in kept)
        {
            length = write.Content is null ? random.Next(2) == 0 ? write.Offset + write.LengthBytes : length : Math.Max(length, write.Offset + write.LengthBytes);
        }
        var bytes = new byte[length];
        _durable.AsSpan(0, (int)Math.Min(_durable.Length, length)).CopyTo(bytes);
        foreach (var (offset, _, content) in kept)
        {
            if (content is not null && offset < length)
            {
                content.AsSpan(0, (int)Math.Min(content.Length, length - offset)).CopyTo(bytes.AsSpan((int)offset));
            }
        }
        return bytes;
    }

    private byte[] Prefix(Random random)
    {
        var kept = random.Next(_unsynced.Count + 1);
        var bytes = new byte[kept == 0 ? _durable.Length : Math.Max(_durable.Length, (int)Length)];
        _durable.CopyTo(bytes, 0);
        for (var i = 0; i < kept; i++)
        {
            var (offset, length, _) = _unsynced[i];
            if (i == kept - 1)
            {
                var cut = offset + (random.NextInt64((length / SectorBytes) + 2) * SectorBytes);
                length = Math.Min(length, Math.Max(0, cut - (cut % SectorBytes) - offset));
            }
            CopyRange(bytes, offset, length);
        }
        return bytes;
    }

    private byte[] Sectors(Random random)
    {
        if (_unsynced.Count == 0)
        {
            return [.. _durable];
        }
        var bytes = new byte[random.Next(2) == 0 ? _durable.Length : Math.Max(_durable.Length, (int)Length)];
        _durable.CopyTo(bytes, 0);
        var dirty = new SortedSet<long>();
        foreach (var (offset, length, _) in _unsynced)
        {
            for (var sector = offset / SectorBytes; sector * SectorBytes < offset + length; sector++)
            {
                dirty.Add(sector);
            }
        }
        foreach (var sector in dirty)
        {
            if (random.Next(2) == 0)
            {
                CopyRange(bytes, sector * SectorBytes, SectorBytes);
            }
        }
        return bytes;
    }

    private void CopyRange(byte[] target, long offset, long length)
    {
        var end = Math.Min(Math.Min(offset + length, Length), target.Length);
        if (end > offset)
        {
            _current.AsSpan((int)offset, (int)(end - offset)).CopyTo(target.AsSpan((int)offset));
        }
    }

    private void Reserve(int length)
    {
        if (length > _current.Length)
        {
            Array.Resize(ref _current, Math.Max(length, _current.Length * 2));
        }
    }
}
