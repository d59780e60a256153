using Apm.Query.Api;
using Apm.Storage;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Query.Attributes;

/// <summary>What a filter bar offers at the caret: fields that occur, the operators that fit them, and values that occur.</summary>
internal sealed class CompletionItems(ITelemetryStore store, Signal signal, TimeRange range, int limit, QueryRun run)
{
    private static readonly string[] s_durations = ["1ms", "10ms", "100ms", "500ms", "1s", "5s"];
    private static readonly string[] s_severities = ["fatal", "error", "warn", "info", "debug", "trace"];
    private static readonly string[] s_kinds = ["server", "client", "internal", "producer", "consumer", "unspecified"];
    private static readonly string[] s_statuses = ["error", "ok", "unset"];

    private static readonly (string Symbol, string Meaning)[] s_operators =
    [
        ("=", "equals"), ("!=", "differs from"), ("=~", "matches the regular expression"), ("!~", "does not match"), ("contains", "contains, in any case"),
        (">", "above"), (">=", "at least"), ("<", "below"), ("<=", "at most"),
    ];

    public async Task<IReadOnlyList<FilterCompletionItem>> FindAsync(FilterCompletion completion, CancellationToken cancellationToken)
    {
        var items = completion.Expecting switch
        {
            FilterExpectation.Field => await FieldsAsync(completion.Prefix, cancellationToken),
            FilterExpectation.Operator => Operators(completion.Field, completion.Prefix),
            FilterExpectation.Value => completion.Field is { } field ? await ValuesAsync(field, completion.Prefix, cancellationToken) : [],
            _ => Conjunctions(completion.Prefix),
        };
        return [.. items.Take(limit)];
    }

    private async Task<IEnumerable<FilterCompletionItem>> FieldsAsync(string prefix, CancellationToken cancellationToken)
    {
        var (scope, key) = Split(prefix);
        var items = new List<FilterCompletionItem>();
        if (scope is null)
        {
            items.AddRange(IntrinsicNames.Of(signal).Where(intrinsic => Starts(IntrinsicNames.NameOf(intrinsic), prefix))
                .Select(intrinsic => new FilterCompletionItem(IntrinsicNames.NameOf(intrinsic), "intrinsic", IntrinsicNames.MeaningOf(intrinsic))));
        }
        var names = await store.GetAttributeNamesAsync(new AttributeNameQuery(range, key, scope ?? FieldScope.Any, limit), run.Budget(), cancellationToken);
        items.AddRange(names.Select(name => new FilterCompletionItem(
            FieldFormatter.Format(Field.Attribute(scope == FieldScope.Any ? FieldScope.Any : name.Scope, name.Key), signal), "attribute",
            $"{FieldFormatter.Prefix(name.Scope, signal).TrimEnd('.')}, {name.Records} records")));
        if (scope is null)
        {
            items.AddRange(Scopes().Select(one => FieldFormatter.Prefix(one, signal)).Where(text => Starts(text, prefix))
                .Select(text => new FilterCompletionItem(text, "scope", $"attributes of the {text.TrimEnd('.')}")));
        }
        return items.DistinctBy(item => item.Text);
    }

    private FieldScope[] Scopes() => signal == Signal.Logs
        ? [FieldScope.Record, FieldScope.Resource, FieldScope.InstrumentationScope]
        : [FieldScope.Record, FieldScope.Resource, FieldScope.Event, FieldScope.Link, FieldScope.InstrumentationScope];

    /// <summary>The scope that is written already, or null; and the start of the key.</summary>
    private (FieldScope? Scope, string Key) Split(string prefix)
    {
        if (prefix.StartsWith('.'))
        {
            return (FieldScope.Any, prefix[1..]);
        }
        foreach (var scope in Scopes())
        {
            var text = FieldFormatter.Prefix(scope, signal);
            if (prefix.StartsWith(text, StringComparison.Ordinal))
            {
                return (scope, prefix[text.Length..]);
            }
        }
        return (null, prefix);
    }

    private static IEnumerable<FilterCompletionItem> Operators(Field? field, string prefix)
    {
        var operators = s_operators.AsEnumerable();
        if (field is { Scope: FieldScope.Intrinsic })
        {
            operators = field.Intrinsic switch
            {
                Intrinsic.Kind or Intrinsic.Status or Intrinsic.TraceId or Intrinsic.SpanId or Intrinsic.ParentSpanId => s_operators[..2],
                Intrinsic.Duration or Intrinsic.TraceDuration or Intrinsic.Severity => s_operators.Where(entry => entry.Symbol is not ("=~" or "!~" or "contains"))
                    .OrderByDescending(entry => entry.Symbol is ">=" or ">"),
                _ => s_operators[..5],
            };
        }
        return operators.Where(entry => Starts(entry.Symbol, prefix)).Select(entry => new FilterCompletionItem(entry.Symbol, "operator", entry.Meaning));
    }

    private async Task<IEnumerable<FilterCompletionItem>> ValuesAsync(Field field, string prefix, CancellationToken cancellationToken)
    {
        var words = field.Intrinsic switch
        {
            Intrinsic.Kind => s_kinds,
            Intrinsic.Status => s_statuses,
            Intrinsic.Severity => s_severities,
            Intrinsic.Duration or Intrinsic.TraceDuration => s_durations,
            _ => null,
        };
        if (words is not null)
        {
            return words.Where(word => Starts(word, prefix)).Select(word => new FilterCompletionItem(word, "keyword", ""));
        }
        if (field.Intrinsic is Intrinsic.TraceId or Intrinsic.SpanId or Intrinsic.ParentSpanId)
        {
            return [];
        }
        var values = await FieldValues.FindAsync(store, field, Filter.All, range, prefix, limit, run, cancellationToken);
        return values.Where(value => value.Value.Type is AttributeType.String or AttributeType.Bool or AttributeType.Int64
                || (value.Value.Type == AttributeType.Double && double.IsFinite(value.Value.AsDouble())))
            .Select(value => new FilterCompletionItem(FilterFormatter.FormatValue(field, ComparisonOperator.Equal, value.Value), "value", $"{value.Count} records"));
    }

    private static IEnumerable<FilterCompletionItem> Conjunctions(string prefix)
    {
        FilterCompletionItem[] symbols = [new("&&", "operator", "and"), new("||", "operator", "or")];
        FilterCompletionItem[] words = [new("and", "operator", "&&"), new("or", "operator", "||")];
        return prefix.Length == 0 ? symbols : symbols.Concat(words).Where(item => Starts(item.Text, prefix));
    }

    private static bool Starts(string text, string prefix) => text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);
}
