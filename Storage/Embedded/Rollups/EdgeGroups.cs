using Apm.Storage.Columns;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>What a cell of edges says.</summary>
internal enum EdgeKind : byte
{
    // As PeerType.
    Service = 0,
    Database = 1,
    Queue = 2,
    External = 3,

    /// <summary>A host answered to by a service: client is who calls, server the service, system the host's name. Tells to whom unanswered calls to the host go.</summary>
    Host = 4,
}

/// <summary>The edges of a rollup, and the operations that make them up. Names are codes in <see cref="Strings"/>. Built by one thread; then immutable.</summary>
internal sealed class EdgeGroups(StringTable strings)
{
    /// <summary>Edges and operations told apart in one rollup. Of an edge above it the operation is left out; above twice it, the edge, and <see cref="IsTruncated"/> says so.</summary>
    public const int MaxGroups = 16_384;

    private int[] _slots = new int[64];

    public StringTable Strings { get; } = strings;

    public int Count => Clients.Count;

    public Column<int> Clients { get; } = new();

    public Column<int> Servers { get; } = new();

    public Column<byte> Kinds { get; } = new();

    public Column<int> Systems { get; } = new();

    /// <summary>Name of the calling span, or "" where operations are not told apart.</summary>
    public Column<int> Operations { get; } = new();

    /// <summary>False where nobody has looked for edges: there are none here, and those of the source's spans are to be found.</summary>
    public bool IsKnown { get; init; } = true;

    /// <summary>Edges are missing.</summary>
    public bool IsTruncated { get; set; }

    /// <summary>Memory held, without the strings.</summary>
    public long SizeBytes => 33L * Clients.CapacityCount;

    /// <summary>The number of a group, which is added when it is new; -1 when there is no room.</summary>
    public int NumberOf(int client, int server, EdgeKind kind, int system, int operation, int maxGroups = MaxGroups)
    {
        var slot = Find(client, server, kind, system, operation);
        if (_slots[slot] != 0)
        {
            return _slots[slot] - 1;
        }
        if (Count >= maxGroups && operation != 0)
        {
            return NumberOf(client, server, kind, system, 0, maxGroups);
        }
        if (Count >= 2 * maxGroups)
        {
            IsTruncated = true;
            return -1;
        }
        Clients.Add(client);
        Servers.Add(server);
        Kinds.Add((byte)kind);
        Systems.Add(system);
        Operations.Add(operation);
        _slots[slot] = Count;
        if (Count * 2 > _slots.Length)
        {
            _slots = new int[_slots.Length * 2];
            for (var number = 0; number < Count; number++)
            {
                _slots[Find(Clients[number], Servers[number], (EdgeKind)Kinds[number], Systems[number], Operations[number])] = number + 1;
            }
        }
        return Count - 1;
    }

    private int Find(int client, int server, EdgeKind kind, int system, int operation)
    {
        var mask = _slots.Length - 1;
        var hash = ((((ulong)(uint)client << 32) | (uint)server) * 0x9E3779B97F4A7C15UL) ^ (((((ulong)(uint)system << 32) | (uint)operation) + (byte)kind) * 0xD6E8FEB86659FD93UL);
        var slot = (int)((hash * 0x9E3779B97F4A7C15UL) >> 40) & mask;
        while (_slots[slot] is var number and not 0)
        {
            number--;
            if (Clients[number] == client && Servers[number] == server && Kinds[number] == (byte)kind && Systems[number] == system && Operations[number] == operation)
            {
                break;
            }
            slot = (slot + 1) & mask;
        }
        return slot;
    }
}
