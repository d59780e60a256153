namespace Apm.DurableBuffer;

/// <summary>A snapshot for health checks and Settings → Ingest.</summary>
/// <param name="AppendedPosition">The last position made durable.</param>
/// <param name="ReadPosition">The last position handed to the reader.</param>
/// <param name="CommittedPosition">The last position that storage holds durably.</param>
/// <param name="UncommittedBytes">Bytes on disk that storage does not hold yet.</param>
/// <param name="LimitBytes">The bound on those; reaching it makes appends fail.</param>
/// <param name="Fault">Why appends fail now ("disk full", "write failed: …"), or null.</param>
public sealed record BufferStatus(long AppendedPosition, long ReadPosition, long CommittedPosition, long UncommittedBytes, long LimitBytes, string? Fault);
