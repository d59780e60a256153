namespace Apm.Telemetry.Otlp;

/// <summary>What the check of one export request found. Immutable.</summary>
public readonly struct OtlpCheckResult
{
    private readonly int[]? _counts;

    internal OtlpCheckResult(int items, int rejected, int warnings, int[]? counts, string? message)
    {
        Items = items;
        Rejected = rejected;
        Warnings = warnings;
        _counts = counts;
        Message = message;
    }

    /// <summary>Spans or log records in the request, rejected ones included.</summary>
    public int Items { get; }

    /// <summary>Those that storage will not take.</summary>
    public int Rejected { get; }

    /// <summary>Log records taken without their trace and span ids, which have wrong lengths.</summary>
    public int Warnings { get; }

    /// <summary>For partial_success.error_message: what was wrong and the first item it was wrong in; null when all is well. Also set when there are only warnings.</summary>
    public string? Message { get; }

    /// <summary>Items rejected for the reason.</summary>
    public int Count(RejectionReason reason) => _counts is null ? 0 : _counts[(int)reason];
}
