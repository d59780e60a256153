using Apm.Telemetry;

namespace Apm.Bench;

internal enum AnswerKind
{
    /// <summary>All of it is durable.</summary>
    Accepted,
    /// <summary>429, or RESOURCE_EXHAUSTED or UNAVAILABLE with a delay: to be sent again.</summary>
    Refused,
    /// <summary>Any other answer.</summary>
    Failed,
}

/// <param name="Status">The protocol's own.</param>
/// <param name="RetryAfter">Of a refusal; null when the sender was not told.</param>
internal readonly record struct Answer(AnswerKind Kind, int Status, TimeSpan? RetryAfter);

/// <summary>The server takes no connections: nothing was sent.</summary>
internal sealed class ConnectException(string message, Exception cause) : IOException(message, cause);

/// <summary>A sender's connection; one request at a time. Used by one thread.</summary>
internal interface IConnection : IDisposable
{
    /// <exception cref="ConnectException">Nothing was sent.</exception>
    /// <exception cref="IOException">The connection broke: whether the request was stored is not known.</exception>
    Answer Send(Signal signal, ReadOnlyMemory<byte> body, bool gzip);
}
