using Apm.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Apm.Query.Api;

/// <summary>One request's searches: they share its deadline, and their reports add up to one.</summary>
/// <param name="explain">The request wants to know what was done with each part.</param>
internal sealed class QueryRun(QueryOptions options, TimeProvider time, bool explain)
{
    /// <summary>Left to a search that begins after its predecessors used up the deadline, so that it can say so.</summary>
    private static readonly TimeSpan s_leastTime = TimeSpan.FromMilliseconds(50);

    private readonly long _started = time.GetTimestamp();
    private ScanReport? _report;
    private int _searches;

    /// <summary>The budget for the next search.</summary>
    public QueryBudget Budget()
    {
        var left = options.Deadline - time.GetElapsedTime(_started);
        return options.Budget(left > s_leastTime ? left : s_leastTime, explain);
    }

    public void Add(ScanReport report)
    {
        _searches++;
        var plan = report.Plan?.Select(source => source with { Search = _searches });
        _report = _report is null
            ? report with { Plan = plan?.ToArray() }
            : new ScanReport(
                _report.Complete && report.Complete, _report.StoppedBy ?? report.StoppedBy,
                _report.PartsRead + report.PartsRead, _report.PartsSkipped + report.PartsSkipped,
                _report.BlocksRead + report.BlocksRead, _report.BlocksSkipped + report.BlocksSkipped,
                _report.RowsScanned + report.RowsScanned, _report.BytesRead + report.BytesRead, _report.Elapsed + report.Elapsed,
                _report.RollupsRead + report.RollupsRead, plan is null ? _report.Plan : [.. _report.Plan ?? [], .. plan]);
    }

    public ScanReport Report => _report ?? new ScanReport(true, null, 0, 0, 0, 0, 0, 0, TimeSpan.Zero);
}

/// <summary>Begins runs.</summary>
internal sealed class QueryRunFactory(IOptions<QueryOptions> options, TimeProvider time, IHttpContextAccessor context)
{
    public const string Explain = "explain";

    /// <summary>Every search takes the parameter <see cref="Explain"/>, so it is read here.</summary>
    public QueryRun Begin() => new(options.Value, time, Parameter.Flag(context.HttpContext?.Request.Query[Explain], Explain));

    public long NowUnixNano() => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
}
