namespace Apm.Telemetry.Otlp;

/// <summary>A body is larger, perhaps only after decompression, than its receiver takes.</summary>
public sealed class BodyTooLargeException(long limitBytes)
    : Exception(FormattableString.Invariant($"the decompressed body is larger than the limit of {limitBytes} bytes"))
{
    public long LimitBytes { get; } = limitBytes;
}
