using Apm.Query.Api;
using Apm.Query.Json;

namespace Apm.Query.Services;

/// <param name="Others">The requests to services beyond those that are told apart, together; null when there are none.</param>
/// <param name="IdentitiesTruncated">There are more versions, instances or environments than are told apart: what services say of them is too little.</param>
/// <param name="PeersTruncated">There are more calls than are told apart: peers, or calls to them, are missing.</param>
internal sealed record ServicesAnswer(
    IReadOnlyList<ServiceAnswer> Services, RedMeasure? Others, bool IdentitiesTruncated, IReadOnlyList<PeerAnswer> Peers, bool PeersTruncated, ScanAnswer Scan) : IHeldAnswer
{
    long IHeldAnswer.HeldBytes => Services.Sum(static service => 512L + (service.Series.Count.Length * 32L)) + (Peers.Count * 512L);
}

/// <param name="VersionChangedUnixNano">Start of the step in which <paramref name="Version"/> was first seen; null when it was there all the time.</param>
/// <param name="Instances">Distinct service.instance.id.</param>
/// <param name="Environments">Distinct deployment.environment.name.</param>
/// <param name="Apdex">0 to 1 with a threshold of 500 ms; null without requests.</param>
internal sealed record ServiceAnswer(
    string Name, string? Language, string? Version, string? PreviousVersion, UnixNano? VersionChangedUnixNano, int Instances, IReadOnlyList<string> Environments,
    double Rate, double ErrorRate, long P50Nano, long P95Nano, long P99Nano, double? Apdex, long Count, long Errors, ServiceSeriesAnswer Series);

/// <summary>One entry a step; a percentile is null where no request was.</summary>
internal sealed record ServiceSeriesAnswer(UnixNano StartUnixNano, long StepNano, long[] Count, long[] Errors, long?[] P95Nano);

/// <param name="Type">database, queue or external.</param>
/// <param name="Callers">Services that call it.</param>
/// <param name="Operation">The most frequent name of the calling span.</param>
internal sealed record PeerAnswer(
    string Name, string Type, string System, IReadOnlyList<string> Callers, double Rate, double ErrorRate, long Count, long Errors,
    long P50Nano, long P95Nano, long P99Nano, string Operation);
