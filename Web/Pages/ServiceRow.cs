using System.Collections.Immutable;
using Apm.Web.Api;

namespace Apm.Web.Pages;

/// <summary>A service as the tables show it: now, and in the period it is compared with.</summary>
/// <param name="Before">Null: it sent nothing then.</param>
internal sealed record ServiceRow(ServiceSummary Now, ServiceSummary? Before)
{
    /// <summary>From this share of failed requests a service is called failing.</summary>
    public const double FailingErrorRate = 0.05;

    /// <summary>From this share of failed requests, or below this Apdex, a service is called degraded.</summary>
    public const double DegradedErrorRate = 0.01, DegradedApdex = 0.7;

    /// <summary>A single failure of a few requests is no state of a service.</summary>
    private const int FewestErrors = 3;

    /// <summary>A percentile counts as changed when it doubled, and is long enough for somebody to notice.</summary>
    private const double SlowFactor = 2, NoticeableNano = 100e6;

    /// <summary>How far back "now" reaches, as a share of the series.</summary>
    public const double RecentShare = 1.0 / 6;

    /// <summary>From this multiple of the whole range's error rate the recent one is worth saying.</summary>
    private const double WorseFactor = 1.2;

    /// <summary>Share of failed requests at the end of the range: what began a few minutes ago must not hide in the average of a day.</summary>
    public double RecentErrorRate
    {
        get
        {
            if (Now.Series is not { Count.Length: > 0 } series)
                return Now.ErrorRate;
            var from = series.Count.Length - Math.Max(2, (int)Math.Round(series.Count.Length * RecentShare));
            var (count, errors) = (0L, 0L);
            for (var i = Math.Max(0, from); i < series.Count.Length; i++)
                (count, errors) = (count + series.Count[i], errors + series.Errors[i]);
            return errors >= FewestErrors ? (double)errors / count : 0;
        }
    }

    /// <summary>The worse of the present and the whole range.</summary>
    public double WorstErrorRate => Math.Max(Now.ErrorRate, RecentErrorRate);

    /// <summary>Clearly more fails at the end of the range than in all of it.</summary>
    public bool IsGettingWorse => RecentErrorRate > WorseFactor * Now.ErrorRate;

    public bool ErrorsAreHigh => Now.Errors >= FewestErrors && Now.ErrorRate >= DegradedErrorRate && Now.ErrorRate >= 1.5 * (Before?.ErrorRate ?? 0)
        || Now.Errors >= FewestErrors && WorstErrorRate >= FailingErrorRate;

    public bool P95IsHigh => IsSlow(Now.P95Nano, Before?.P95Nano);

    public bool P99IsHigh => IsSlow(Now.P99Nano, Before?.P99Nano);

    public bool ApdexIsLow => Now.Apdex is < DegradedApdex;

    /// <summary>"bad", "warn" or "ok".</summary>
    public string State =>
        Now.Errors >= FewestErrors && WorstErrorRate >= FailingErrorRate ? "bad"
        : ErrorsAreHigh || P95IsHigh || ApdexIsLow ? "warn" : "ok";

    public static ImmutableArray<ServiceRow> Join(ServiceList now, ServiceList? before)
    {
        var earlier = new Dictionary<string, ServiceSummary>(StringComparer.Ordinal);
        foreach (var service in before?.Services ?? [])
            earlier[service.Name] = service;
        return [.. now.Services.Select(service => new ServiceRow(service, earlier.GetValueOrDefault(service.Name)))];
    }

    public static bool IsSlow(double? now, double? before) => now >= NoticeableNano && before > 0 && now >= SlowFactor * before;

    /// <summary>Worst first by state, then as asked.</summary>
    public static IEnumerable<ServiceRow> Sort(IEnumerable<ServiceRow> rows, string key, bool descending)
    {
        if (key == "name")
            return descending ? rows.OrderByDescending(row => row.Now.Name, StringComparer.OrdinalIgnoreCase) : rows.OrderBy(row => row.Now.Name, StringComparer.OrdinalIgnoreCase);
        Func<ServiceRow, double> value = key switch
        {
            "rate" => row => row.Now.Rate,
            "p50" => row => row.Now.P50Nano ?? -1,
            "p95" => row => row.Now.P95Nano ?? -1,
            "p99" => row => row.Now.P99Nano ?? -1,
            "apdex" => row => -(row.Now.Apdex ?? 1),
            "deploy" => row => row.Now.VersionChangedUnixNano ?? 0,
            _ => row => Severity(row) * 10 + row.WorstErrorRate,
        };
        return descending
            ? rows.OrderByDescending(value).ThenByDescending(row => row.Now.Rate).ThenBy(row => row.Now.Name, StringComparer.Ordinal)
            : rows.OrderBy(value).ThenBy(row => row.Now.Name, StringComparer.Ordinal);
    }

    private static int Severity(ServiceRow row) => row.State switch { "bad" => 2, "warn" => 1, _ => 0 };
}
