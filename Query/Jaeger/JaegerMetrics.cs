using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Apm.Query.Api;
using Apm.Storage;
using Apm.Telemetry;
using Apm.Telemetry.Filters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Query.Jaeger;

/// <summary>
/// The metrics of Jaeger's "Monitor" tab, from the spans themselves: a point at each step over the <c>ratePer</c> before it, as <c>rate(…[10m])</c> would give.
/// Steps in which nothing was seen have no point.
/// </summary>
internal static class JaegerMetrics
{
    private const long MillisecondNano = 1_000_000;
    private const long DefaultLookbackNano = 3_600_000 * MillisecondNano;
    private const long DefaultStepNano = 5_000 * MillisecondNano;
    private const long DefaultRatePerNano = 600_000 * MillisecondNano;

    /// <summary>Shortest step that makes sense to ask for.</summary>
    private const int MinStepMilliseconds = 1;

    /// <summary>Services in one request, and series in one answer.</summary>
    private const int MaxSeries = 500;

    private enum Measure
    {
        Latencies,
        Calls,
        Errors,
    }

    private sealed record Question(Measure Measure, double Quantile, bool ByOperation, AggregateQuery Query, long StartUnixNano, int WindowSteps, long RatePerNano, IReadOnlyList<string> Services)
    {
        /// <summary>Null when several are asked for.</summary>
        public string? OneService => Services.Count == 1 ? Services[0] : null;
    }

    public static void Map(IEndpointRouteBuilder jaeger)
    {
        jaeger.MapGet("/metrics/latencies", (ISpanStore spans, QueryRunFactory runs, HttpRequest request, CancellationToken token) => AnswerAsync(Measure.Latencies, spans, runs, request, token));
        jaeger.MapGet("/metrics/calls", (ISpanStore spans, QueryRunFactory runs, HttpRequest request, CancellationToken token) => AnswerAsync(Measure.Calls, spans, runs, request, token));
        jaeger.MapGet("/metrics/errors", (ISpanStore spans, QueryRunFactory runs, HttpRequest request, CancellationToken token) => AnswerAsync(Measure.Errors, spans, runs, request, token));
        jaeger.MapGet("/metrics/minstep", () => new StreamedJson(writer => JaegerEnvelope.Write(writer, data => data.WriteNumberValue(MinStepMilliseconds), 0)));
    }

    private static async Task<IResult> AnswerAsync(Measure measure, ISpanStore spans, QueryRunFactory runs, HttpRequest request, CancellationToken cancellationToken)
    {
        var question = Read(measure, request.Query, runs.NowUnixNano());
        var result = await spans.AggregateAsync(question.Query, runs.Begin().Budget(), cancellationToken);
        return new StreamedJson(writer => WritePieces(writer, question, result), HeldBytes(result));
    }

    private static long HeldBytes(AggregateResult result)
    {
        // An object's header and three numbers, and for durations another with an array of counts.
        const long bucketBytes = 48, durationBytes = 96;
        return result.Groups.Sum(static group => (8L * group.Buckets.Length)
            + group.Buckets.Sum(static bucket => bucket is null ? 0 : bucketBytes + (bucket.Durations is { } durations ? durationBytes + (8L * durations.Counts.Length) : 0)));
    }

    private static Question Read(Measure measure, IQueryCollection query, long now)
    {
        var services = query["service"].Where(service => !string.IsNullOrEmpty(service)).Select(service => service!).Distinct().ToImmutableArray();
        if (services.Length is 0 or > MaxSeries)
        {
            throw JaegerException.Wrong("service", services.Length == 0 ? "please provide at least one service name" : $"at most {MaxSeries} services");
        }
        double quantile = 0;
        if (measure == Measure.Latencies && !(double.TryParse(query["quantile"], NumberStyles.Float, CultureInfo.InvariantCulture, out quantile) && quantile is >= 0 and <= 1))
        {
            throw JaegerException.Wrong("quantile", $"'{query["quantile"]}' is not a number from 0 to 1");
        }
        var end = JaegerParameter.MillisecondsToNano(JaegerParameter.Text(query, "endTs"), "endTs", now);
        var lookback = JaegerParameter.MillisecondsToNano(JaegerParameter.Text(query, "lookback"), "lookback", DefaultLookbackNano);
        var step = JaegerParameter.MillisecondsToNano(JaegerParameter.Text(query, "step"), "step", DefaultStepNano);
        var ratePer = JaegerParameter.MillisecondsToNano(JaegerParameter.Text(query, "ratePer"), "ratePer", DefaultRatePerNano);
        if (step < MinStepMilliseconds * MillisecondNano || (Int128)lookback + ratePer > (Int128)step * (AggregateQuery.MaxSteps - 2))
        {
            throw JaegerException.Wrong("step", $"too short for the lookback: at most {AggregateQuery.MaxSteps} steps");
        }
        var byOperation = JaegerParameter.Flag(JaegerParameter.Text(query, "groupByOperation"), "groupByOperation");
        var kinds = query["spanKind"].Where(kind => !string.IsNullOrEmpty(kind)).Select(kind => JaegerParameter.Kind(kind!, "spanKind")).DefaultIfEmpty(SpanKind.Server);
        var filter = Filter.And(
            new OrFilter([.. services.Select(JaegerSearch.Service)]),
            new OrFilter([.. kinds.Select(JaegerSearch.Kind)]));
        ImmutableArray<Field> by = byOperation ? [Field.ServiceName, Field.Of(Intrinsic.Name)] : [Field.ServiceName];
        var start = end - lookback;
        var aggregate = new AggregateQuery(filter, new TimeRange(start - ratePer, end), step, by, MaxSeries, measure == Measure.Latencies);
        return new Question(measure, quantile, byOperation, aggregate, start, (int)Math.Max(1, ratePer / step), ratePer, services);
    }

    private static IEnumerable<bool> WritePieces(Utf8JsonWriter writer, Question question, AggregateResult result)
    {
        var (name, help) = Describe(question);
        writer.WriteStartObject();
        writer.WriteString("name"u8, name);
        writer.WriteString("type"u8, "GAUGE"u8);
        writer.WriteString("help"u8, help);
        writer.WriteStartArray("metrics"u8);
        foreach (var group in result.Groups)
        {
            writer.WriteStartObject();
            writer.WriteStartArray("labels"u8);
            if (question.ByOperation)
            {
                WriteLabel(writer, "operation"u8, group.IsOverflow ? JaegerNames.Others : group.Key[1]?.ToString() ?? "");
            }
            WriteLabel(writer, "service_name"u8, group.IsOverflow ? question.OneService ?? JaegerNames.Others : group.Key[0]?.ToString() ?? JaegerSearch.MissingServiceName);
            writer.WriteEndArray();
            writer.WriteStartArray("metricPoints"u8);
            WritePoints(writer, question, result, group);
            writer.WriteEndArray();
            writer.WriteEndObject();
            yield return true;
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
        yield return true;
    }

    private static void WritePoints(Utf8JsonWriter writer, Question question, AggregateResult result, AggregateGroup group)
    {
        for (var step = 0; step < result.Steps; step++)
        {
            var at = result.FirstStepUnixNano + ((step + 1) * result.StepNano);
            if (at < question.StartUnixNano || at > question.Query.Range.EndUnixNano + result.StepNano)
            {
                continue;
            }
            var window = Window(question, group, step);
            if (window.Count == 0)
            {
                continue;
            }
            var value = question.Measure switch
            {
                Measure.Latencies => window.Durations!.QuantileNano(question.Quantile) / 1e6,
                Measure.Calls => window.Count * 1e9 / question.RatePerNano,
                _ => (double)window.Errors / window.Count,
            };
            writer.WriteStartObject();
            writer.WriteStartObject("gaugeValue"u8);
            writer.WriteNumber("doubleValue"u8, value);
            writer.WriteEndObject();
            writer.WriteString("timestamp"u8, DateTimeOffset.UnixEpoch.AddTicks(at / 100).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture));
            writer.WriteEndObject();
        }
    }

    /// <summary>The buckets of the step and those before it, as far back as the rate reaches, added up.</summary>
    private static AggregateBucket Window(Question question, AggregateGroup group, int step)
    {
        var window = new AggregateBucket { Durations = question.Measure == Measure.Latencies ? new DurationHistogram() : null };
        for (var i = Math.Max(0, step - question.WindowSteps + 1); i <= step; i++)
        {
            if (group.Buckets[i] is { } bucket)
            {
                window.Count += bucket.Count;
                window.Errors += bucket.Errors;
                if (bucket.Durations is { } durations)
                {
                    window.Durations?.Add(durations);
                }
            }
        }
        return window;
    }

    private static (string Name, string Help) Describe(Question question)
    {
        var grouped = question.ByOperation ? "service & operation" : "service";
        var prefix = question.ByOperation ? "service_operation" : "service";
        return question.Measure switch
        {
            Measure.Latencies => ($"{prefix}_latencies", string.Create(CultureInfo.InvariantCulture, $"{question.Quantile}th quantile latency, grouped by {grouped}")),
            Measure.Calls => ($"{prefix}_call_rate", $"calls/sec, grouped by {grouped}"),
            _ => ($"{prefix}_error_rate", $"error rate, computed as a fraction of errors/sec over calls/sec, grouped by {grouped}"),
        };
    }

    private static void WriteLabel(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string value)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, name);
        writer.WriteString("value"u8, value);
        writer.WriteEndObject();
    }
}
