using Apm.Telemetry;

namespace Apm.Query.Traces;

/// <summary>
/// Where most of a trace's time went, in one sentence: "5.00 s of 6.12 s (82 %) is two calls of payments to the bank API". Read off the critical path: what a
/// service waited for a peer without spans of its own, or worked itself under one name.
/// </summary>
/// <param name="Share">Of the trace's duration, 0 to 1.</param>
/// <param name="Calls">Spans that the time is made of.</param>
/// <param name="Peer">Whom it waited for; null when it worked.</param>
/// <param name="Name">The name of the spans, when they have one.</param>
internal sealed record Headline(double Share, long DurationNano, int Calls, string Service, string? Peer, string? Name, bool Waits)
{
    /// <summary>A smaller share explains nothing.</summary>
    private const double LeastShare = 0.2;

    /// <summary>A wait is told rather than work, which is often only the waiting's frame, from this part of the work's time on.</summary>
    private const double WaitPreference = 0.5;

    public static Headline? Find(TraceOutline outline)
    {
        if (outline.DurationNano <= 0 || outline.Tree.Count < 2)
        {
            return null;
        }
        var groups = new Dictionary<(bool Waits, int Service, int Subject), (long Nano, HashSet<int> Rows)>();
        foreach (var section in outline.Path)
        {
            var waits = outline.Peer[section.Row] >= 0 && outline.Kind(section.Row) is SpanKind.Client or SpanKind.Producer;
            var key = (waits, outline.Service[section.Row], waits ? outline.Peer[section.Row] : outline.Name[section.Row]);
            if (!groups.TryGetValue(key, out var group))
            {
                group = (0, []);
            }
            group.Rows.Add(section.Row);
            groups[key] = (group.Nano + section.ToNano - section.FromNano, group.Rows);
        }
        var best = groups.OrderByDescending(group => group.Value.Nano * (group.Key.Waits ? 1 / WaitPreference : 1)).FirstOrDefault();
        if (best.Value.Rows is null || best.Value.Nano < LeastShare * outline.DurationNano)
        {
            return null;
        }
        var names = best.Value.Rows.Select(row => outline.Name[row]).Distinct().ToArray();
        return new Headline(
            Math.Round((double)best.Value.Nano / outline.DurationNano, 4), best.Value.Nano, best.Value.Rows.Count, outline.Services[best.Key.Service].Name,
            best.Key.Waits ? outline.Names.All[best.Key.Subject] : null, names.Length == 1 ? outline.Names.All[names[0]] : null, best.Key.Waits);
    }
}
