using Apm.Query.Api;
using Apm.Query.Json;
using Apm.Storage;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Query.Attributes;

internal sealed record AttributeNamesAnswer(IReadOnlyList<AttributeNameAnswer> Names);

/// <param name="Scope">span, log, resource, instrumentation, event or link.</param>
/// <param name="Field">As filters write it.</param>
/// <param name="Records">About how many records have it.</param>
internal sealed record AttributeNameAnswer(string Scope, string Key, string Field, long Records);

internal sealed record AttributeValuesAnswer(IReadOnlyList<AttributeValueAnswer> Values, ScanAnswer Scan);

internal sealed record AttributeValueAnswer(AttributeValue Value, long Count);

/// <summary><c>attributes…</c>: names and values that occur, for completion.</summary>
internal static class AttributeEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("attributes", NamesAsync).WithName("ListAttributes").WithTags("Attributes").WithSummary("Attribute names seen in the range, most frequent first").Produces<AttributeNamesAnswer>();
        api.MapGet("attributes/values", ValuesAsync).WithName("ListAttributeValues").WithTags("Attributes").WithSummary("Values of a field among the records that match, most frequent first")
            .Produces<AttributeValuesAnswer>();
    }

    private static async Task<IResult> NamesAsync(
        ISpanStore spans, ILogStore logs, QueryRunFactory runs, string? signal, string? from, string? to, string? prefix, string? scope, CancellationToken cancellationToken)
    {
        var of = Parameter.Signal(signal);
        var query = new AttributeNameQuery(TimeParameter.ReadRange(from, to, runs.NowUnixNano()), prefix ?? "", Scope(scope));
        ITelemetryStore store = of == Signal.Logs ? logs : spans;
        var names = await store.GetAttributeNamesAsync(query, runs.Begin().Budget(), cancellationToken);
        var answer = new AttributeNamesAnswer([.. names.Select(name => new AttributeNameAnswer(
            FieldFormatter.Prefix(name.Scope, of).TrimEnd('.'), name.Key, FieldFormatter.Format(Field.Attribute(name.Scope, name.Key), of), name.Records))]);
        return TypedResults.Json(answer, AnswerJson.Default.AttributeNamesAnswer);
    }

    private static FieldScope Scope(string? scope) => Parameter.Word(scope, "scope", "", "span", "log", "resource", "instrumentation", "event", "link") switch
    {
        "span" or "log" => FieldScope.Record,
        "resource" => FieldScope.Resource,
        "instrumentation" => FieldScope.InstrumentationScope,
        "event" => FieldScope.Event,
        "link" => FieldScope.Link,
        _ => FieldScope.Any,
    };

    private static async Task<IResult> ValuesAsync(
        ISpanStore spans, ILogStore logs, QueryRunFactory runs, string? signal, string? field, string? q, string? from, string? to, string? prefix, string? limit,
        CancellationToken cancellationToken)
    {
        var of = Parameter.Signal(signal);
        var run = runs.Begin();
        var values = await FieldValues.FindAsync(
            of == Signal.Logs ? logs : spans, Parameter.Field(field, of), Parameter.Filter(q, of), TimeParameter.ReadRange(from, to, runs.NowUnixNano()),
            prefix ?? "", Parameter.Limit(limit), run, cancellationToken);
        var answer = new AttributeValuesAnswer([.. values.Select(value => new AttributeValueAnswer(value.Value, value.Count))], ScanAnswer.From(run.Report));
        return TypedResults.Json(answer, AnswerJson.Default.AttributeValuesAnswer);
    }
}
