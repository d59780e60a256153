using Apm.Query.Json;
using Apm.Telemetry.Attributes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Apm.Query.Api;

/// <summary>What the OpenAPI document says beyond the shapes: parameters mean the same on every path, so each is described once, here.</summary>
internal static class OpenApiDocuments
{
    private static readonly Dictionary<string, (string Text, JsonSchemaType Type)> s_parameters = new(StringComparer.Ordinal)
    {
        ["from"] = ("Start of the range, inclusive: RFC 3339, a Unix time in s, ms, µs or ns, now, or now-30m. Default: one hour before the end.", JsonSchemaType.String),
        ["to"] = ("End of the range, exclusive; as from. Default: now.", JsonSchemaType.String),
        ["boxFrom"] = ("Start of the box; default: from.", JsonSchemaType.String),
        ["boxTo"] = ("End of the box; default: to.", JsonSchemaType.String),
        ["q"] = ("A filter (docs/filter.md), at most 65,536 characters; empty matches everything.", JsonSchemaType.String),
        ["box"] = ("A second filter, which together with q selects what is compared with the rest.", JsonSchemaType.String),
        ["step"] = ("Width of a time step: 30s, 5m, a number of seconds, or auto. At most 11,000 steps.", JsonSchemaType.String),
        ["limit"] = ("At most so many items, 1 to 1000.", JsonSchemaType.Integer),
        ["by"] = ("A field to group by, such as resource.service.name; up to 4.", JsonSchemaType.Array),
        ["field"] = ("A field, such as span.http.route or status.", JsonSchemaType.String),
        ["order"] = ("The order of the answer.", JsonSchemaType.String),
        ["cursor"] = ("nextCursor of the previous page.", JsonSchemaType.String),
        ["count"] = ("true: scan on after the page is full, to count every match.", JsonSchemaType.Boolean),
        ["text"] = ("A part of the body, in any case.", JsonSchemaType.String),
        ["traceId"] = ("Only records of this trace.", JsonSchemaType.String),
        ["spanId"] = ("A span of the trace: 16 hexadecimal digits.", JsonSchemaType.String),
        ["id"] = ("A trace id: 32 hexadecimal digits.", JsonSchemaType.String),
        ["service"] = ("Only operations of this service.", JsonSchemaType.String),
        ["signal"] = ("traces (the default) or logs.", JsonSchemaType.String),
        ["prefix"] = ("What the name or value starts with, in any case.", JsonSchemaType.String),
        ["scope"] = ("span, log, resource, instrumentation, event or link; absent: all.", JsonSchemaType.String),
        [QueryRunFactory.Explain] = ("true: scan.plan says of each part what was read of it, and what was skipped by which index.", JsonSchemaType.Boolean),
        ["caret"] = ("Offset of the caret in q, in UTF-16 units.", JsonSchemaType.Integer),
    };

    /// <summary>Operations whose answers have <c>scan</c>, all the time or when they are asked to explain themselves.</summary>
    private static readonly HashSet<string> s_explained = new(StringComparer.Ordinal)
    {
        "ListServices", "ListOperations", "ListDependencies", "SearchTraces", "GetTrace", "GetTraceLogs", "GetSpanRed", "GetSpanHeatmap", "GetSpanFacets", "CompareSpans",
        "SearchLogs", "GetLogHistogram", "GetLogFacets", "ListAttributeValues",
    };

    public static void Configure(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "Apm";
            document.Info.Version = "v1";
            document.Info.Description = "Traces and logs. Times are strings of nanoseconds since the Unix epoch, durations numbers of nanoseconds; docs/http-api.md says the rest.";
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            if (context.Description.RelativePath?.StartsWith(QueryApi.Prefix.TrimStart('/'), StringComparison.Ordinal) == true)
            {
                if (s_explained.Contains(operation.OperationId ?? ""))
                {
                    operation.Parameters ??= [];
                    operation.Parameters.Add(new OpenApiParameter { Name = QueryRunFactory.Explain, In = ParameterLocation.Query, Schema = new OpenApiSchema { Type = JsonSchemaType.Boolean } });
                }
                Describe(operation);
            }
            return Task.CompletedTask;
        });
        options.AddSchemaTransformer((schema, context, _) =>
        {
            if (context.JsonTypeInfo.Type == typeof(AttributeValue) || context.JsonTypeInfo.Type == typeof(AttributeValue?))
            {
                schema.Type = null;
                schema.Properties?.Clear();
                schema.Description = "An attribute value: any JSON value.";
            }
            return Task.CompletedTask;
        });
    }

    private static void Describe(OpenApiOperation operation)
    {
        foreach (var parameter in operation.Parameters ?? [])
        {
            if (parameter is OpenApiParameter described && described.Name is { } name && s_parameters.TryGetValue(name, out var entry))
            {
                described.Description = entry.Text;
                if (entry.Type is JsonSchemaType.Integer or JsonSchemaType.Boolean && described.Schema is OpenApiSchema schema)
                {
                    schema.Type = entry.Type;
                }
            }
        }
    }
}
