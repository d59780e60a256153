using Apm.Web.Api;

namespace Apm.Web.Pages;

/// <summary>
/// RED of services under a filter (an environment, say). The API's list of services knows no filter, so the numbers come from spans/red over the same spans
/// (server, consumer, root), and what a service is (language, version) from the list. Peers and Apdex are not known then.
/// </summary>
internal static class FilteredServices
{
    private const string Requests = "(kind = server || kind = consumer || span:parentID = nil)";

    public static async Task<ServiceList> AskAsync(QueryClient api, string filter, Func<ApiParameters> range, string step, CancellationToken cancellationToken)
    {
        var asked = api.RedAsync(
            range().Add("q", FilterText.And(filter, Requests)).Add("by", "resource.service.name").Add("step", step), cancellationToken);
        var known = await api.ServicesAsync(range(), cancellationToken);
        var byName = known.Services.ToDictionary(service => service.Name, StringComparer.Ordinal);
        var red = await asked;
        var services = new List<ServiceSummary>();
        foreach (var group in red.Groups)
        {
            if (group.Overflow || group.KeyText(0) is not { } name)
                continue;
            var service = byName.GetValueOrDefault(name);
            services.Add(new ServiceSummary(
                name, service?.Language, service?.Version, service?.PreviousVersion, service?.VersionChangedUnixNano, service?.Instances ?? 0,
                group.Rate, group.ErrorRate, group.P50Nano, group.P95Nano, group.P99Nano, null, group.Count, group.Errors,
                group.Series is { } series ? new ServiceSeries(red.StartUnixNano ?? 0, red.StepNano ?? 1, series.Count, series.Errors, series.P95Nano) : null));
        }
        var others = red.Groups.FirstOrDefault(static group => group.Overflow);
        return new ServiceList([.. services], [], red.Scan) { Others = others is null ? null : OtherSpans.Of(others), IdentitiesTruncated = known.IdentitiesTruncated };
    }
}
