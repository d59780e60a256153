using System.Buffers.Binary;
using Apm.Collector.Admission;
using Apm.DurableBuffer;
using Apm.Telemetry.Otlp;
using Microsoft.Extensions.Logging;

namespace Apm.Collector.Otlp;

/// <summary>What both OTLP receivers do with a body once they have it: check, append, say how it ended. Any number of threads.</summary>
internal sealed partial class OtlpIntake(IBufferWriter buffer, CollectorOptions options, InFlightBytes inFlight, TimeProvider time, ILogger<OtlpIntake> logger)
{
    /// <summary>What a sender should wait when memory is short: requests take milliseconds, so it is free again soon.</summary>
    private static readonly TimeSpan InFlightRetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>What a sender should wait when the buffer cannot write; the time for an operator to notice is longer than any wait, so it is only not to hammer.</summary>
    private static readonly TimeSpan UnavailableRetryAfter = TimeSpan.FromSeconds(5);

    /// <summary>Log lines for a fault that every request hits: one in this time.</summary>
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(10);

    private long _lastLogTimestamp;

    public CollectorOptions Options { get; } = options;

    /// <summary>A reservation to receive one request with; the caller disposes it when the request is answered.</summary>
    public Reservation Reserve() => new(inFlight);

    /// <summary>Takes over the body, and disposes it also on failure. Completes when what was accepted is durable.</summary>
    /// <param name="json">The body, after decompression, is OTLP/JSON.</param>
    /// <returns>The outcome, and the body's length after decompression.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled; the body may still be appended.</exception>
    public async ValueTask<(Outcome Outcome, long Bytes)> AcceptAsync(OtlpSignal otlp, PooledBody body, bool gzip, bool json, Reservation reservation, CancellationToken cancellationToken)
    {
        var signal = otlp.Signal ?? throw new ArgumentException($"{otlp.Name} have no storage", nameof(otlp));
        var owned = body;
        long bytes = body.Length;
        try
        {
            OtlpCheckResult check;
            var encoding = BatchEncoding.Identity;
            if (json)
            {
                owned = ToProtobuf(signal, body, gzip, reservation, out bytes);
                body.Dispose();
                check = Check(signal, owned.Memory.Span);
            }
            else if (gzip)
            {
                encoding = BatchEncoding.Gzip;
                using var content = Decompress(body.Memory, reservation, out var reserved);
                bytes = content.Memory.Length;
                check = Check(signal, content.Memory.Span);
                reservation.Shrink(reserved);
            }
            else
            {
                check = Check(signal, body.Memory.Span);
            }
            if (check.Items > check.Rejected)
            {
                var batch = new Batch(signal, tenant: 0, Clock.UnixNano(time), encoding, owned.Memory, owned);
                owned = null;
                await buffer.AppendAsync(batch, cancellationToken);
            }
            return (Outcome.Accepted(check), bytes);
        }
        catch (Exception e) when (Explain(e) is { } outcome)
        {
            return (outcome, bytes);
        }
        finally
        {
            owned?.Dispose();
        }
    }

    /// <summary>The outcome that a failure of receiving or appending means; null for one that is none of the request's business.</summary>
    public Outcome? Explain(Exception exception)
    {
        switch (exception)
        {
            case MalformedOtlpException e:
                return Outcome.Failed(OutcomeKind.Malformed, "malformed", e.Message);
            case BodyTooLargeException e:
                return Outcome.Failed(OutcomeKind.TooLarge, "too_large", e.LimitBytes == Options.MaxBodyBytes
                    ? TooLargeMessage()
                    : FormattableString.Invariant($"the decompressed body is larger than the limit of {e.LimitBytes} bytes (Collector:MaxDecompressedBytes)"));
            case InFlightFullException e:
                return Outcome.Failed(OutcomeKind.Full, "in_flight_full", e.Message, InFlightRetryAfter);
            case BufferFullException e:
                return Outcome.Failed(OutcomeKind.Full, "buffer_full", e.Message, e.RetryAfter);
            case OperationCanceledException:
                return null;
            default:
                LogFailure(exception);
                return Outcome.Failed(OutcomeKind.Unavailable, "unavailable", "the server cannot store telemetry now", UnavailableRetryAfter);
        }
    }

    public string TooLargeMessage() => FormattableString.Invariant($"the body is larger than the limit of {Options.MaxBodyBytes} bytes (Collector:MaxBodyBytes)");

    private static OtlpCheckResult Check(Telemetry.Signal signal, ReadOnlySpan<byte> protobuf) =>
        signal == Telemetry.Signal.Traces ? OtlpCheck.Traces(protobuf) : OtlpCheck.Logs(protobuf);

    private PooledBody ToProtobuf(Telemetry.Signal signal, PooledBody body, bool gzip, Reservation reservation, out long bytes)
    {
        using var content = gzip ? Decompress(body.Memory, reservation, out _) : null;
        var json = content?.Memory ?? body.Memory;
        bytes = json.Length;
        var protobuf = new PooledBody(json.Length, Options.MaxDecompressedBytes, reservation);
        try
        {
            if (signal == Telemetry.Signal.Traces)
            {
                OtlpJson.ToProtobufTraces(json.Span, protobuf);
            }
            else
            {
                OtlpJson.ToProtobufLogs(json.Span, protobuf);
            }
            return protobuf;
        }
        catch
        {
            protobuf.Dispose();
            throw;
        }
    }

    /// <summary>Decompresses within what could be reserved: first what the trailer claims, then, when it lied or there are several members, the limit.</summary>
    private System.Buffers.IMemoryOwner<byte> Decompress(ReadOnlyMemory<byte> gzip, Reservation reservation, out long reserved)
    {
        var claimed = gzip.Length < 4 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(gzip.Span[^4..]);
        var first = (int)Math.Clamp(claimed, Math.Min(gzip.Length, Options.MaxDecompressedBytes), Options.MaxDecompressedBytes);
        reservation.Grow(first);
        reserved = first;
        try
        {
            return GzipBody.Decompress(gzip, first);
        }
        catch (BodyTooLargeException) when (first < Options.MaxDecompressedBytes)
        {
            reservation.Grow(Options.MaxDecompressedBytes - first);
            reserved = Options.MaxDecompressedBytes;
            return GzipBody.Decompress(gzip, Options.MaxDecompressedBytes);
        }
    }

    private void LogFailure(Exception exception)
    {
        var last = Interlocked.Read(ref _lastLogTimestamp);
        var now = time.GetTimestamp();
        if ((last == 0 || time.GetElapsedTime(last, now) >= LogInterval) && Interlocked.CompareExchange(ref _lastLogTimestamp, now, last) == last)
        {
            LogAppendFailed(exception);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "A request could not be stored; its sender is told to retry. Further ones are logged once in 10 s")]
    private partial void LogAppendFailed(Exception exception);
}
