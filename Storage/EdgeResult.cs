namespace Apm.Storage;

public enum PeerType
{
    /// <summary>A service that sends its own spans.</summary>
    Service,
    Database,
    Queue,
    /// <summary>A host that was called and sends no spans.</summary>
    External,
}

public sealed record EdgeResult(IReadOnlyList<Edge> Edges, ScanReport Scan);

/// <param name="Client">service.name of the caller (or of the producer).</param>
/// <param name="Server">service.name of the callee; for the other types the database, destination or host.</param>
/// <param name="System">db.system.name, messaging.system, or "".</param>
/// <param name="Operation">The most frequent name of the calling span.</param>
public sealed record Edge(string Client, string Server, PeerType Type, string System, string Operation, long Calls, long Errors, DurationHistogram Durations);
