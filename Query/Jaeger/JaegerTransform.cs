using System.Buffers;
using System.Globalization;
using Apm.Query.Api;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Otlp;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Query.Jaeger;

/// <summary>Shows OTLP/JSON that somebody has in a file in v1's shape; nothing is stored. Jaeger's UI sends files that are dropped on its search page here.</summary>
internal static class JaegerTransform
{
    /// <summary>Bytes of a file: what a receiver takes as one request. A browser can hardly show more.</summary>
    private const int MaxBodyBytes = 20 << 20;

    public static void Map(IEndpointRouteBuilder jaeger) => jaeger.MapPost("/transform", TransformAsync);

    private static async Task<IResult> TransformAsync(HttpRequest request, QueryRunFactory runs, CancellationToken cancellationToken)
    {
        var json = await ReadAsync(request, cancellationToken);
        var body = new ArrayBufferWriter<byte>(json.Length + 1);
        try
        {
            OtlpJson.ToProtobufTraces(json.Span, body);
            var check = OtlpCheck.Traces(body.WrittenSpan);
            var decoder = new ColumnBatchDecoder(Signal.Traces);
            decoder.Append(body.WrittenSpan, runs.NowUnixNano());
            var spans = decoder.Take();
            var traces = Enumerable.Range(0, spans.Rows).GroupBy(row => spans.TraceId[row]);
            List<(int, string, string?)> rejected = check.Rejected == 0 ? [] : [(0, string.Create(CultureInfo.InvariantCulture, $"{check.Rejected} spans are left out: {check.Message}"), null)];
            return JaegerEndpoints.Traces(traces.Select(rows => new JaegerTrace(rows.Key, spans, rows.OrderBy(row => spans.TimeUnixNano[row]), Truncated: false)), raw: false, rejected, spans.SizeBytes);
        }
        catch (MalformedOtlpException exception)
        {
            throw JaegerException.Invalid(exception.Message);
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var json = new ArrayBufferWriter<byte>();
        while (true)
        {
            var read = await request.BodyReader.ReadAsync(cancellationToken);
            foreach (var piece in read.Buffer)
            {
                json.Write(piece.Span);
            }
            request.BodyReader.AdvanceTo(read.Buffer.End);
            if (json.WrittenCount > MaxBodyBytes)
            {
                throw new JaegerException(StatusCodes.Status413PayloadTooLarge, string.Create(CultureInfo.InvariantCulture, $"the file has more than {MaxBodyBytes} bytes"));
            }
            if (read.IsCompleted)
            {
                return json.WrittenMemory;
            }
        }
    }
}
