using System.Collections.Immutable;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Query.Jaeger;

/// <summary>Jaeger's search conditions as a filter: all of them must hold on one span.</summary>
internal static class JaegerSearch
{
    /// <summary>Jaeger's name for the service of a span without service.name.</summary>
    public const string MissingServiceName = "missing-service-name";

    private static readonly ImmutableArray<FieldScope> s_tagScopes =
        [FieldScope.Record, FieldScope.Resource, FieldScope.InstrumentationScope, FieldScope.Event, FieldScope.Link];

    public static Filter Service(string service) => service == MissingServiceName
        ? new OrFilter([new ExistsFilter(Field.ServiceName, false), Filter.Equal(Field.ServiceName, AttributeValue.FromString(service))])
        : Filter.Equal(Field.ServiceName, AttributeValue.FromString(service));

    public static Filter Operation(string name) => Filter.Equal(Field.Of(Intrinsic.Name), AttributeValue.FromString(name));

    public static Filter Kind(SpanKind kind) => Filter.Equal(Field.Of(Intrinsic.Kind), AttributeValue.FromInt64((long)kind));

    /// <summary>Bounds on the span's duration; null where there is none.</summary>
    public static Filter Duration(long? minNano, long? maxNano)
    {
        var duration = Field.Of(Intrinsic.Duration);
        return Filter.And(
            minNano is { } min ? new ComparisonFilter(duration, ComparisonOperator.GreaterOrEqual, AttributeValue.FromInt64(min)) : Filter.All,
            maxNano is { } max ? new ComparisonFilter(duration, ComparisonOperator.LessOrEqual, AttributeValue.FromInt64(max)) : Filter.All);
    }

    /// <summary>
    /// A tag: <c>error</c>, <c>span.kind</c>, <c>span.status</c>, <c>scope.name</c> and <c>scope.version</c> ask for what OpenTelemetry keeps beside the attributes,
    /// <c>resource.x</c> looks in the resource only, every other key in the attributes of span, resource, scope, events and links, compared as text.
    /// </summary>
    public static Filter Tag(string key, string value)
    {
        switch (key)
        {
            case "error" when value is "true":
                return Status(StatusCode.Error);
            case "error" when value is "false":
                return Status(StatusCode.Ok);
            case "span.status" when Enum.TryParse<StatusCode>(value, ignoreCase: true, out var status) && Enum.IsDefined(status):
                return Status(status);
            case "span.kind" when Enum.TryParse<SpanKind>(value, ignoreCase: true, out var kind) && Enum.IsDefined(kind):
                return Kind(kind);
            case "scope.name" or "otel.scope.name":
                return Filter.Equal(Field.Of(Intrinsic.ScopeName), AttributeValue.FromString(value));
            case "scope.version" or "otel.scope.version":
                return Filter.Equal(Field.Of(Intrinsic.ScopeVersion), AttributeValue.FromString(value));
            default:
                return key.StartsWith("resource.", StringComparison.Ordinal)
                    ? new OrFilter([new TextEqualFilter(key["resource.".Length..], [FieldScope.Resource], value), new TextEqualFilter(key, s_tagScopes, value)])
                    : new TextEqualFilter(key, s_tagScopes, value);
        }
    }

    private static Filter Status(StatusCode status) => Filter.Equal(Field.Of(Intrinsic.Status), AttributeValue.FromInt64((long)status));
}
