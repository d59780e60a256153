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

    private readonly Dictionary<(int Client, int Server, EdgeKind Kind, int System, int Operation), int> _numbers = [];

    public StringTable Strings { get; } = strings;

    public int Count => Clients.Count;

    public Column<int> Clients { get; } = new();

    public Column<int> Servers { get; } = new();

    public Column<byte> Kinds { get; } = new();

    public Column<int> Systems { get; } = new();

    /// <summary>Name of the calling span, or "" where operations are not told apart.</summary>
    public Column<int> Operations { get; } = new();

    /// <summary>Edges are missing.</summary>
    public bool IsTruncated { get; set; }

    /// <summary>Memory held, without the strings.</summary>
    public long SizeBytes => 48L * Clients.CapacityCount;

    /// <summary>The number of a group, which is added when it is new; -1 when there is no room.</summary>
    public int NumberOf(int client, int server, EdgeKind kind, int system, int operation, int maxGroups = MaxGroups)
    {
        if (_numbers.TryGetValue((client, server, kind, system, operation), out var number))
        {
            return number;
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
        _numbers.Add((client, server, kind, system, operation), Count);
        Clients.Add(client);
        Servers.Add(server);
        Kinds.Add((byte)kind);
        Systems.Add(system);
        Operations.Add(operation);
        return Count - 1;
    }
}
