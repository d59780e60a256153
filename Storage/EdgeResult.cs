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

/// <param name="IsTruncated">There were more edges than are told apart: those beyond are missing.</param>
public sealed record EdgeResult(IReadOnlyList<Edge> Edges, ScanReport Scan, bool IsTruncated);

/// <summary>
/// Calls from one side to another. What a service takes out of a queue shows as an edge of type Service whose <paramref name="Client"/> is the destination
/// and whose <paramref name="System"/> is the messaging system.
/// </summary>
/// <param name="Client">service.name of the caller (or of the producer).</param>
/// <param name="Server">service.name of the callee; for the other types the database, destination or host.</param>
/// <param name="Type">What <paramref name="Server"/> is.</param>
/// <param name="System">db.system.name, messaging.system, or "".</param>
/// <param name="Operation">The most frequent name of the calling span.</param>
public sealed record Edge(string Client, string Server, PeerType Type, string System, string Operation, long Calls, long Errors, DurationHistogram Durations);
