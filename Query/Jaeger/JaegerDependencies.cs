using System.Globalization;
using Apm.Query.Api;
using Apm.Storage;
using Apm.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Query.Jaeger;

/// <summary>
/// Who calls whom, in the shapes of v1 and v3. Services only: Jaeger has no databases, queues or hosts in its graph. v1 writes callCount as a number,
/// v3 as a string, as Protobuf's JSON writes 64 bits.
/// </summary>
internal static class JaegerDependencies
{
    private const long DefaultLookbackNano = 86_400L * 1_000_000_000;

    public static void Map(IEndpointRouteBuilder jaeger)
    {
        jaeger.MapGet("/dependencies", GetAsync);
        jaeger.MapGet("/v3/dependencies", GetV3Async);
    }

    private static async Task<IResult> GetAsync(ISpanStore spans, QueryRunFactory runs, HttpRequest request, CancellationToken cancellationToken)
    {
        var end = JaegerParameter.MillisecondsToNano(JaegerParameter.Text(request.Query, "endTs"), "endTs", runs.NowUnixNano());
        var lookback = JaegerParameter.MillisecondsToNano(JaegerParameter.Text(request.Query, "lookback"), "lookback", DefaultLookbackNano);
        var service = JaegerParameter.Text(request.Query, "service");
        var links = await LinksAsync(spans, runs, new TimeRange(end - lookback, end), cancellationToken);
        return new StreamedJson(writer => JaegerEnvelope.Write(writer, data =>
        {
            data.WriteStartArray();
            foreach (var (parent, child, calls) in links.Where(link => service is null || link.Parent == service || link.Child == service))
            {
                data.WriteStartObject();
                data.WriteString("parent"u8, parent);
                data.WriteString("child"u8, child);
                data.WriteNumber("callCount"u8, calls);
                data.WriteEndObject();
            }
            data.WriteEndArray();
        }, 0));
    }

    private static async Task<IResult> GetV3Async(ISpanStore spans, QueryRunFactory runs, HttpRequest request, CancellationToken cancellationToken)
    {
        var start = Time(request.Query, "startTime", "start_time");
        var end = Time(request.Query, "endTime", "end_time");
        if (end <= start)
        {
            throw JaegerException.Invalid("endTime must be after startTime");
        }
        var links = await LinksAsync(spans, runs, new TimeRange(start, end), cancellationToken);
        return new StreamedJson(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("dependencies"u8);
            foreach (var (parent, child, calls) in links)
            {
                writer.WriteStartObject();
                writer.WriteString("parent"u8, parent);
                writer.WriteString("child"u8, child);
                writer.WriteString("callCount"u8, calls.ToString(CultureInfo.InvariantCulture));
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    private static long Time(IQueryCollection query, string name, string older) => JaegerParameter.Text(query, name, older) is { } text
        ? JaegerParameter.Rfc3339ToNano(text, name)
        : throw JaegerException.Wrong(name, "it is required");

    /// <summary>One link for each pair of services. An edge out of a queue has its system: there the client is no service.</summary>
    private static async Task<List<(string Parent, string Child, long Calls)>> LinksAsync(
        ISpanStore spans, QueryRunFactory runs, TimeRange range, CancellationToken cancellationToken)
    {
        if (range.IsEmpty)
        {
            return [];
        }
        var result = await spans.GetEdgesAsync(range, runs.Begin().Budget(), cancellationToken);
        return [.. result.Edges.Where(edge => edge is { Type: PeerType.Service, System.Length: 0 })
            .GroupBy(edge => (Parent: NameOf(edge.Client), Child: NameOf(edge.Server)))
            .Select(link => (link.Key.Parent, link.Key.Child, link.Sum(edge => edge.Calls)))
            .OrderBy(link => link.Parent, StringComparer.Ordinal).ThenBy(link => link.Child, StringComparer.Ordinal)];
    }

    private static string NameOf(string service) => service.Length > 0 ? service : JaegerSearch.MissingServiceName;
}
