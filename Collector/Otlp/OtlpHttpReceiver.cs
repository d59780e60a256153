using System.Globalization;
using Apm.Collector.Admission;
using Apm.Telemetry.Otlp;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Apm.Collector.Otlp;

/// <summary>OTLP/HTTP, protobuf and JSON: the answer is in the encoding of the request. Any number of threads.</summary>
internal sealed class OtlpHttpReceiver(OtlpIntake intake, IngestLedger ledger, OtlpHttpReceiverOptions options)
{
    private const string Protobuf = "application/x-protobuf";
    private const string Json = "application/json";

    /// <summary>How long a browser may remember a preflight's answer: two hours, the most that Chromium keeps.</summary>
    private const string PreflightMaxAgeSeconds = "7200";

    public async Task HandleAsync(HttpContext context, OtlpSignal signal)
    {
        if (AllowOrigin(context) && HttpMethods.IsOptions(context.Request.Method) && context.Request.Headers.ContainsKey(HeaderNames.AccessControlRequestMethod))
        {
            AnswerPreflight(context);
            return;
        }
        var request = new Request();
        Outcome outcome;
        using var reservation = intake.Reserve();
        try
        {
            outcome = await ReceiveAsync(context, signal, request, reservation);
        }
        catch (BadHttpRequestException e)
        {
            outcome = e.StatusCode == StatusCodes.Status408RequestTimeout
                ? Outcome.Failed(OutcomeKind.Timeout, "too_slow", "the body came too slowly")
                : Outcome.Failed(OutcomeKind.Malformed, "truncated", e.Message);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            outcome = Outcome.Failed(OutcomeKind.Timeout, "sender_gone", "the sender went away before its request was answered");
            ledger.Record(ReceiverNames.OtlpHttp, signal.Name, outcome, request.WireBytes, request.Bytes, Peer.Of(context));
            context.Abort();
            return;
        }
        ledger.Record(ReceiverNames.OtlpHttp, signal.Name, outcome, request.WireBytes, request.Bytes, Peer.Of(context));
        await AnswerAsync(context, signal, request, outcome);
    }

    private async ValueTask<Outcome> ReceiveAsync(HttpContext context, OtlpSignal signal, Request request, Reservation reservation)
    {
        // Counted here while reading, so that the answer is OTLP's; and a body refused by its head is still taken from the connection (by the server, for
        // some seconds), since a sender whose writing fails does not look for the answer, and tries again for ever.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }
        if (CheckHead(context, signal, request) is { } refusal)
        {
            return refusal;
        }
        PooledBody? body = null;
        try
        {
            body = new PooledBody((int)Math.Min(context.Request.ContentLength ?? 0, int.MaxValue), intake.Options.MaxBodyBytes, reservation);
            await body.FillAsync(context.Request.BodyReader, context.RequestAborted);
            request.WireBytes = body.Length;
            var whole = body;
            body = null;
            var (outcome, length) = await intake.AcceptAsync(signal, whole, request.IsGzip, request.IsJson, reservation, context.RequestAborted);
            request.Bytes = length;
            return outcome;
        }
        catch (Exception e) when (e is InFlightFullException or BodyTooLargeException)
        {
            return intake.Explain(e) ?? throw new InvalidOperationException("a hit bound has an outcome", e);
        }
        finally
        {
            body?.Dispose();
        }
    }

    private Outcome? CheckHead(HttpContext context, OtlpSignal signal, Request request)
    {
        var head = context.Request;
        var type = MediaTypeHeaderValue.TryParse(head.ContentType, out var parsed) ? parsed.MediaType.Value : null;
        request.IsJson = !string.Equals(type, Protobuf, StringComparison.OrdinalIgnoreCase);
        if (signal.Signal is null)
        {
            return Outcome.Failed(OutcomeKind.NotEnabled, "not_enabled", signal.NotEnabledMessage);
        }
        if (!HttpMethods.IsPost(head.Method))
        {
            return Outcome.Failed(OutcomeKind.WrongMethod, "wrong_method", $"{signal.HttpPath} takes POST only");
        }
        if (request.IsJson && !string.Equals(type, Json, StringComparison.OrdinalIgnoreCase))
        {
            return Outcome.Failed(OutcomeKind.UnsupportedType, "unsupported_type", $"Content-Type must be {Protobuf} or {Json}, not '{OtlpAnswer.Cut(head.ContentType ?? "")}'");
        }
        if (request.IsJson && parsed!.Charset is { HasValue: true } charset && !charset.Value.Trim('"').Equals("utf-8", StringComparison.OrdinalIgnoreCase))
        {
            return Outcome.Failed(OutcomeKind.UnsupportedType, "unsupported_type", $"the charset of JSON must be utf-8, not '{OtlpAnswer.Cut(charset.Value)}'");
        }
        var encoding = head.Headers.ContentEncoding.ToString().Trim();
        request.IsGzip = encoding.Equals("gzip", StringComparison.OrdinalIgnoreCase) || encoding.Equals("x-gzip", StringComparison.OrdinalIgnoreCase);
        if (!request.IsGzip && encoding.Length > 0 && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return Outcome.Failed(OutcomeKind.UnsupportedEncoding, "unsupported_encoding", $"Content-Encoding '{OtlpAnswer.Cut(encoding)}' is not supported; send gzip or none");
        }
        return head.ContentLength > intake.Options.MaxBodyBytes ? Outcome.Failed(OutcomeKind.TooLarge, "too_large", intake.TooLargeMessage()) : null;
    }

    private static async Task AnswerAsync(HttpContext context, OtlpSignal signal, Request request, Outcome outcome)
    {
        var response = context.Response;
        byte[] body;
        if (outcome.Kind == OutcomeKind.Accepted)
        {
            body = request.IsJson ? OtlpAnswer.ExportJson(outcome.Check, signal.RejectedField) : OtlpAnswer.ExportProtobuf(outcome.Check);
        }
        else
        {
            var (code, status) = Status(outcome.Kind);
            response.StatusCode = code;
            body = request.IsJson ? OtlpAnswer.StatusJson(status, outcome.Message ?? "") : OtlpAnswer.StatusProtobuf(status, outcome.Message ?? "", outcome.RetryAfter);
            if (outcome.RetryAfter > TimeSpan.Zero)
            {
                response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(outcome.RetryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            }
            switch (outcome.Kind)
            {
                case OutcomeKind.WrongMethod:
                    response.Headers.Allow = HttpMethods.Post;
                    break;
                case OutcomeKind.UnsupportedEncoding:
                    response.Headers.AcceptEncoding = "gzip, identity";
                    break;
                case OutcomeKind.UnsupportedType:
                    response.Headers.Accept = $"{Protobuf}, {Json}";
                    break;
            }
        }
        response.ContentType = request.IsJson ? Json : Protobuf;
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(body, context.RequestAborted);
        }
    }

    /// <summary>A wrong method is not of gRPC's world: its code there is the nearest, UNIMPLEMENTED.</summary>
    private static (int Http, GrpcStatus Status) Status(OutcomeKind kind) => kind switch
    {
        OutcomeKind.Malformed or OutcomeKind.ProtocolError => (StatusCodes.Status400BadRequest, GrpcStatus.InvalidArgument),
        OutcomeKind.TooLarge => (StatusCodes.Status413PayloadTooLarge, GrpcStatus.ResourceExhausted),
        OutcomeKind.UnsupportedType or OutcomeKind.UnsupportedEncoding => (StatusCodes.Status415UnsupportedMediaType, GrpcStatus.InvalidArgument),
        OutcomeKind.NotEnabled => (StatusCodes.Status404NotFound, GrpcStatus.Unimplemented),
        OutcomeKind.WrongMethod => (StatusCodes.Status405MethodNotAllowed, GrpcStatus.Unimplemented),
        OutcomeKind.Full => (StatusCodes.Status429TooManyRequests, GrpcStatus.ResourceExhausted),
        OutcomeKind.Unavailable => (StatusCodes.Status503ServiceUnavailable, GrpcStatus.Unavailable),
        OutcomeKind.Timeout or OutcomeKind.DeadlineExceeded => (StatusCodes.Status408RequestTimeout, GrpcStatus.DeadlineExceeded),
        _ => (StatusCodes.Status500InternalServerError, GrpcStatus.Internal),
    };

    /// <summary>Names the page's origin in the answer when it may read it.</summary>
    private bool AllowOrigin(HttpContext context)
    {
        if (options.CorsOrigins.Length == 0)
        {
            return false;
        }
        context.Response.Headers.Vary = HeaderNames.Origin;
        var origin = context.Request.Headers.Origin.ToString();
        var allowed = origin.Length > 0 && Array.Exists(options.CorsOrigins, allowed => allowed == "*" || allowed.Equals(origin, StringComparison.OrdinalIgnoreCase));
        if (allowed)
        {
            context.Response.Headers.AccessControlAllowOrigin = origin;
            context.Response.Headers.AccessControlExposeHeaders = HeaderNames.RetryAfter;
        }
        return allowed;
    }

    private static void AnswerPreflight(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.AccessControlAllowMethods = HttpMethods.Post;
        if (context.Request.Headers.AccessControlRequestHeaders is { Count: > 0 } asked)
        {
            headers.AccessControlAllowHeaders = asked;
        }
        headers.AccessControlMaxAge = PreflightMaxAgeSeconds;
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>What is known of a request so far, also when receiving fails.</summary>
    private sealed class Request
    {
        public bool IsJson { get; set; }

        public bool IsGzip { get; set; }

        public long WireBytes { get; set; }

        public long Bytes { get; set; }
    }
}
