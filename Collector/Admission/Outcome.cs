using Apm.Telemetry.Otlp;

namespace Apm.Collector.Admission;

/// <summary>How a request ended. Each protocol has its own words for these.</summary>
internal enum OutcomeKind
{
    /// <summary>All that was not rejected is durable.</summary>
    Accepted,
    /// <summary>The request itself is wrong; sending it again changes nothing.</summary>
    Malformed,
    TooLarge,
    UnsupportedType,
    UnsupportedEncoding,
    /// <summary>The signal, service or method does not exist here.</summary>
    NotEnabled,
    WrongMethod,
    /// <summary>A bound is hit: send it again after <see cref="Outcome.RetryAfter"/>.</summary>
    Full,
    /// <summary>The buffer cannot write: send it again after <see cref="Outcome.RetryAfter"/>.</summary>
    Unavailable,
    DeadlineExceeded,
    /// <summary>The request broke the protocol's own rules.</summary>
    ProtocolError,
    /// <summary>The sender sent too slowly, or nothing.</summary>
    Timeout,
}

/// <param name="Reason">For counting, in snake case; null when accepted.</param>
/// <param name="Message">For the sender; null when there is nothing to say.</param>
/// <param name="Check">Of an accepted request.</param>
internal readonly record struct Outcome(OutcomeKind Kind, string? Reason, string? Message, TimeSpan RetryAfter, OtlpCheckResult Check)
{
    public static Outcome Accepted(OtlpCheckResult check) => new(OutcomeKind.Accepted, null, check.Message, default, check);

    public static Outcome Failed(OutcomeKind kind, string reason, string message, TimeSpan retryAfter = default) => new(kind, reason, message, retryAfter, default);
}
