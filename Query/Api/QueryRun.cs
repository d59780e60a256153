using Apm.Storage;
using Microsoft.Extensions.Options;

namespace Apm.Query.Api;

/// <summary>One request's searches: they share its deadline, and their reports add up to one.</summary>
internal sealed class QueryRun(QueryOptions options, TimeProvider time)
{
    /// <summary>Left to a search that begins after its predecessors used up the deadline, so that it can say so.</summary>
    private static readonly TimeSpan s_leastTime = TimeSpan.FromMilliseconds(50);

    private readonly long _started = time.GetTimestamp();
    private ScanReport? _report;

    /// <summary>The budget for the next search.</summary>
    public QueryBudget Budget()
    {
        var left = options.Deadline - time.GetElapsedTime(_started);
        return options.Budget(left > s_leastTime ? left : s_leastTime);
    }

    public void Add(ScanReport report) => _report = _report is null
        ? report
        : new ScanReport(
            _report.Complete && report.Complete, _report.StoppedBy ?? report.StoppedBy,
            _report.PartsRead + report.PartsRead, _report.PartsSkipped + report.PartsSkipped,
            _report.BlocksRead + report.BlocksRead, _report.BlocksSkipped + report.BlocksSkipped,
            _report.RowsScanned + report.RowsScanned, _report.BytesRead + report.BytesRead, _report.Elapsed + report.Elapsed, _report.RollupsRead + report.RollupsRead);

    public ScanReport Report => _report ?? new ScanReport(true, null, 0, 0, 0, 0, 0, 0, TimeSpan.Zero);
}

/// <summary>Begins runs.</summary>
internal sealed class QueryRunFactory(IOptions<QueryOptions> options, TimeProvider time)
{
    public QueryRun Begin() => new(options.Value, time);

    public long NowUnixNano() => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
}
