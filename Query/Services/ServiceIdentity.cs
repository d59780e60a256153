using System.Collections.Immutable;
using Apm.Storage;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Query.Services;

/// <summary>What the resources of a service say about it: version and when it began, language, instances.</summary>
internal sealed class ServiceIdentity
{
    public static readonly ImmutableArray<Field> Fields =
    [
        Field.ServiceName,
        Field.Attribute(FieldScope.Resource, "service.version"),
        Field.Attribute(FieldScope.Resource, "telemetry.sdk.language"),
        Field.Attribute(FieldScope.Resource, "service.instance.id"),
    ];

    public string? Version { get; private set; }

    public string? PreviousVersion { get; private set; }

    /// <summary>Start of the first step of <see cref="Version"/>, when another version was seen before it.</summary>
    public long? VersionChangedUnixNano { get; private set; }

    public string? Language { get; private set; }

    public int Instances { get; private set; }

    /// <param name="result">Grouped by <see cref="Fields"/>.</param>
    public static Dictionary<string, ServiceIdentity> ByService(AggregateResult result)
    {
        var identities = new Dictionary<string, ServiceIdentity>(StringComparer.Ordinal);
        var groups = result.Groups.Where(group => !group.IsOverflow && group.Key[0] is not null);
        foreach (var service in groups.GroupBy(group => group.Key[0]!.Value.ToString(), StringComparer.Ordinal))
        {
            var identity = new ServiceIdentity
            {
                Language = service.Where(group => group.Key[2] is not null).MaxBy(group => group.Total.Count)?.Key[2]?.ToString(),
                Instances = service.Select(group => group.Key[3]).Distinct().Count(),
            };
            identity.FindVersions(service, result);
            identities.Add(service.Key, identity);
        }
        return identities;
    }

    private void FindVersions(IEnumerable<AggregateGroup> groups, AggregateResult result)
    {
        var versions = groups.Where(group => group.Key[1] is not null)
            .GroupBy(group => group.Key[1]!.Value.ToString(), StringComparer.Ordinal)
            .Select(version => (
                Name: version.Key,
                First: version.Min(group => Array.FindIndex(group.Buckets, bucket => bucket is { Count: > 0 })),
                Last: version.Max(group => Array.FindLastIndex(group.Buckets, bucket => bucket is { Count: > 0 }))))
            .OrderByDescending(version => version.First).ThenByDescending(version => version.Last).ThenByDescending(version => version.Name, StringComparer.Ordinal)
            .ToArray();
        if (versions.Length == 0)
        {
            return;
        }
        // The version that appeared last is the current one, as long as it is still among those seen at the end: a canary that was rolled back is not.
        var end = versions.Max(version => version.Last);
        var current = versions.First(version => version.Last == end);
        Version = current.Name;
        var before = versions.Where(version => version.First < current.First).ToArray();
        if (before.Length > 0)
        {
            PreviousVersion = before.MaxBy(version => version.Last).Name;
            VersionChangedUnixNano = result.FirstStepUnixNano + (current.First * result.StepNano);
        }
    }
}
