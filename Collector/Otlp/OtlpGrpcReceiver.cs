using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using Apm.Collector.Admission;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Apm.Collector.Otlp;

/// <summary>OTLP/gRPC: unary calls over HTTP/2, answered without a gRPC framework (PROTOCOL-HTTP2, compression.md). Any number of threads.</summary>
internal sealed class OtlpGrpcReceiver(OtlpIntake intake, IngestLedger ledger)
{
    /// <summary>Flag and length before each message.</summary>
    private const int PrefixBytes = 5;

    /// <summary>A longer grpc-timeout means the same as none: no request takes that long.</summary>
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromHours(1);

    public async Task HandleAsync(HttpContext context)
    {
        if (!IsGrpc(context.Request.ContentType))
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            ledger.Record(ReceiverNames.OtlpGrpc, "", Outcome.Failed(OutcomeKind.UnsupportedType, "unsupported_type", "the content-type is not application/grpc"), 0, 0, Peer.Of(context));
            return;
        }
        var signal = HttpMethods.IsPost(context.Request.Method) ? OtlpSignal.FindByGrpcPath(context.Request.Path.Value) : null;
        using var reservation = intake.Reserve();
        var received = new Received();
        Outcome outcome;
        using var deadline = Deadline(context, out var badTimeout);
        try
        {
            outcome = badTimeout ?? await ReceiveAsync(context, signal, reservation, received, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            outcome = Outcome.Failed(OutcomeKind.DeadlineExceeded, "deadline_exceeded", "the deadline passed before the request was stored");
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            outcome = Outcome.Failed(OutcomeKind.Timeout, "sender_gone", "the sender went away, or sent too slowly, before its request was answered");
            ledger.Record(ReceiverNames.OtlpGrpc, signal?.Name ?? "", outcome, received.WireBytes, received.Bytes, Peer.Of(context));
            context.Abort();
            return;
        }
        ledger.Record(ReceiverNames.OtlpGrpc, signal?.Name ?? "", outcome, received.WireBytes, received.Bytes, Peer.Of(context));
        await AnswerAsync(context, outcome);
    }

    private async ValueTask<Outcome> ReceiveAsync(HttpContext context, OtlpSignal? signal, Reservation reservation, Received received, CancellationToken cancellationToken)
    {
        if (signal is null)
        {
            return Outcome.Failed(OutcomeKind.NotEnabled, "unknown_method", $"unknown method {OtlpAnswer.Cut(context.Request.Path.Value ?? "")}");
        }
        if (signal.Signal is null)
        {
            return Outcome.Failed(OutcomeKind.NotEnabled, "not_enabled", signal.NotEnabledMessage);
        }
        // The bound is the message's length, checked before its bytes are read.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }
        PooledBody? body = null;
        try
        {
            var compressed = false;
            var announced = 0;
            var reader = context.Request.BodyReader;
            while (true)
            {
                var read = await reader.ReadAsync(cancellationToken);
                var bytes = read.Buffer;
                if (body is null)
                {
                    if (bytes.Length < PrefixBytes)
                    {
                        reader.AdvanceTo(bytes.Start, bytes.End);
                        if (read.IsCompleted)
                        {
                            return Outcome.Failed(OutcomeKind.Malformed, "truncated", "the request ends before its message");
                        }
                        continue;
                    }
                    if (ReadPrefix(context, bytes, out compressed, out announced) is { } refusal)
                    {
                        reader.AdvanceTo(bytes.End);
                        return refusal;
                    }
                    body = new PooledBody(announced, intake.Options.MaxBodyBytes, reservation);
                    bytes = bytes.Slice(PrefixBytes);
                }
                if (bytes.Length > announced - body.Length)
                {
                    reader.AdvanceTo(bytes.End);
                    return Outcome.Failed(OutcomeKind.ProtocolError, "several_messages", "more than one message in a unary call");
                }
                body.Append(bytes);
                received.WireBytes = body.Length;
                reader.AdvanceTo(bytes.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }
            if (body.Length < announced)
            {
                return Outcome.Failed(OutcomeKind.Malformed, "truncated", FormattableString.Invariant($"the request ends after {body.Length} of its message's {announced} bytes"));
            }
            var whole = body;
            body = null;
            var (outcome, length) = await intake.AcceptAsync(signal, whole, compressed, json: false, reservation, cancellationToken);
            received.Bytes = length;
            return outcome;
        }
        catch (InFlightFullException e)
        {
            return intake.Explain(e) ?? throw new InvalidOperationException("a full bound has an outcome", e);
        }
        finally
        {
            body?.Dispose();
        }
    }

    private Outcome? ReadPrefix(HttpContext context, in ReadOnlySequence<byte> bytes, out bool compressed, out int length)
    {
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        bytes.Slice(0, PrefixBytes).CopyTo(prefix);
        compressed = prefix[0] == 1;
        var announced = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        length = (int)Math.Min(announced, int.MaxValue);
        if (prefix[0] > 1)
        {
            return Outcome.Failed(OutcomeKind.ProtocolError, "bad_frame", FormattableString.Invariant($"a message's first byte is {prefix[0]}, must be 0 or 1"));
        }
        if (compressed)
        {
            var encoding = context.Request.Headers["grpc-encoding"].ToString();
            if (encoding is "" or "identity")
            {
                return Outcome.Failed(OutcomeKind.ProtocolError, "bad_frame", "a message is marked compressed, but grpc-encoding names no compression");
            }
            if (encoding != "gzip")
            {
                return Outcome.Failed(OutcomeKind.UnsupportedEncoding, "unsupported_encoding", $"grpc-encoding '{OtlpAnswer.Cut(encoding)}' is not supported; send identity or gzip");
            }
        }
        return announced > intake.Options.MaxBodyBytes
            ? Outcome.Failed(OutcomeKind.TooLarge, "too_large", FormattableString.Invariant($"a message of {announced} bytes, the limit is {intake.Options.MaxBodyBytes} (Collector:MaxBodyBytes)"))
            : null;
    }

    private static async Task AnswerAsync(HttpContext context, Outcome outcome)
    {
        var response = context.Response;
        response.ContentType = "application/grpc";
        if (outcome.Kind == OutcomeKind.Accepted)
        {
            var message = OtlpAnswer.ExportProtobuf(outcome.Check);
            response.DeclareTrailer("grpc-status");
            var frame = response.BodyWriter.GetSpan(PrefixBytes + message.Length);
            frame[0] = 0;
            BinaryPrimitives.WriteUInt32BigEndian(frame[1..], (uint)message.Length);
            message.CopyTo(frame[PrefixBytes..]);
            response.BodyWriter.Advance(PrefixBytes + message.Length);
            response.AppendTrailer("grpc-status", "0");
            await response.BodyWriter.FlushAsync();
            return;
        }
        var status = Status(outcome.Kind);
        var text = OtlpAnswer.Cut(outcome.Message ?? "");
        // Trailers-Only: the status travels in the one header block.
        response.Headers["grpc-status"] = ((int)status).ToString(CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Uri.EscapeDataString(text);
        if (outcome.Kind == OutcomeKind.UnsupportedEncoding)
        {
            response.Headers["grpc-accept-encoding"] = "identity,gzip";
        }
        if (outcome.RetryAfter > TimeSpan.Zero)
        {
            response.Headers["grpc-status-details-bin"] = Convert.ToBase64String(OtlpAnswer.StatusProtobuf(status, text, outcome.RetryAfter));
        }
        await response.CompleteAsync();
    }

    private static GrpcStatus Status(OutcomeKind kind) => kind switch
    {
        OutcomeKind.Accepted => GrpcStatus.Ok,
        OutcomeKind.Malformed => GrpcStatus.InvalidArgument,
        OutcomeKind.TooLarge or OutcomeKind.Full => GrpcStatus.ResourceExhausted,
        OutcomeKind.NotEnabled or OutcomeKind.UnsupportedEncoding => GrpcStatus.Unimplemented,
        OutcomeKind.Unavailable => GrpcStatus.Unavailable,
        OutcomeKind.DeadlineExceeded => GrpcStatus.DeadlineExceeded,
        _ => GrpcStatus.Internal,
    };

    private CancellationTokenSource Deadline(HttpContext context, out Outcome? refusal)
    {
        refusal = null;
        var source = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        if (context.Request.Headers["grpc-timeout"] is { Count: > 0 } header)
        {
            if (!GrpcTimeout.TryParse(header.ToString(), out var timeout))
            {
                refusal = Outcome.Failed(OutcomeKind.ProtocolError, "bad_timeout", "grpc-timeout must be 1 to 8 digits and one of H M S m u n");
            }
            else if (timeout < MaxTimeout)
            {
                source.CancelAfter(timeout);
            }
        }
        return source;
    }

    /// <summary>application/grpc, perhaps with +proto or parameters.</summary>
    private static bool IsGrpc(string? contentType) =>
        contentType is not null && contentType.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == "application/grpc".Length || contentType["application/grpc".Length] is '+' or ';' or ' ');

    /// <summary>Sizes known so far, also when receiving fails.</summary>
    private sealed class Received
    {
        public long WireBytes { get; set; }

        public long Bytes { get; set; }
    }
}
