using System.Globalization;
using Apm.Query.Api;
using Apm.Query.Json;
using Apm.Storage;
using Apm.Telemetry;
using Apm.Telemetry.Filters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Query.Attributes;

/// <param name="Filter">The canonical text; "" matches everything.</param>
/// <param name="Terms">The parts that &amp;&amp; joins at the top.</param>
internal sealed record FilterParseAnswer(string Filter, IReadOnlyList<FilterTermAnswer> Terms);

/// <param name="Text">The term as a filter of its own.</param>
/// <param name="Field">Null when the term is not one comparison.</param>
/// <param name="Value">The literal as it is written; null when there is none.</param>
internal sealed record FilterTermAnswer(string Text, string? Field, string? Operator, string? Value);

/// <param name="ReplaceFrom">Offset in <c>q</c> of what an accepted item replaces.</param>
/// <param name="Expecting">field, operator, value or conjunction.</param>
internal sealed record FilterCompletionAnswer(int ReplaceFrom, int ReplaceTo, string Expecting, IReadOnlyList<FilterCompletionItem> Items);

/// <param name="Text">What to insert.</param>
/// <param name="Kind">intrinsic, attribute, scope, operator, value, keyword.</param>
internal sealed record FilterCompletionItem(string Text, string Kind, string Detail);

/// <summary><c>filter…</c>: what the filter bar needs while somebody types.</summary>
internal static class FilterEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("filter/parse", Parse).WithName("ParseFilter").WithTags("Filter").WithSummary("The canonical text and the terms of a filter").WithMetadata(new Unqueued()).Produces<FilterParseAnswer>();
        api.MapGet("filter/complete", CompleteAsync).WithName("CompleteFilter").WithTags("Filter").WithSummary("What may stand at the caret of an unfinished filter").Produces<FilterCompletionAnswer>();
    }

    private static IResult Parse(string? q, string? signal)
    {
        var of = Parameter.Signal(signal);
        var filter = Parameter.Filter(q, of);
        var terms = FilterFormatter.Terms(filter).Select(term => FilterTerms.Describe(term, of));
        return TypedResults.Json(new FilterParseAnswer(FilterFormatter.Format(filter, of), [.. terms]), AnswerJson.Default.FilterParseAnswer);
    }

    private static async Task<IResult> CompleteAsync(
        ISpanStore spans, ILogStore logs, QueryRunFactory runs, string? q, string? caret, string? signal, string? from, string? to, string? limit, CancellationToken cancellationToken)
    {
        var of = Parameter.Signal(signal);
        q ??= "";
        if (q.Length > FilterLimits.MaxTextChars)
        {
            throw new ParameterException("q", $"has {q.Length} characters; expected at most {FilterLimits.MaxTextChars}");
        }
        var offset = q.Length;
        if (!string.IsNullOrEmpty(caret) && (!int.TryParse(caret, NumberStyles.None, CultureInfo.InvariantCulture, out offset) || offset > q.Length))
        {
            throw new ParameterException("caret", $"'{caret}' is out of range; expected an offset from 0 to {q.Length}");
        }
        var completion = FilterCompletion.At(q, offset, of);
        var items = new CompletionItems(of == Signal.Logs ? logs : spans, of, TimeParameter.ReadRange(from, to, runs.NowUnixNano()), Parameter.Limit(limit), runs.Begin());
        var answer = new FilterCompletionAnswer(
            completion.ReplaceFrom, completion.ReplaceTo, completion.Expecting.ToString().ToLowerInvariant(), await items.FindAsync(completion, cancellationToken));
        return TypedResults.Json(answer, AnswerJson.Default.FilterCompletionAnswer);
    }
}
