using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <summary>Makes a trace's summary of its spans. Parents that are missing, that are the span itself or that form a cycle are taken as they come.</summary>
internal static class TraceAssembly
{
    /// <summary>The earliest span without a parent, else the earliest whose parent is missing, else (a cycle) the earliest.</summary>
    /// <param name="spans">At least one; ordered by start, each once.</param>
    public static int RootOf(ReadOnlySpan<SpanRow> spans)
    {
        for (var i = 0; i < spans.Length; i++)
        {
            if (HasNoParent(spans[i]))
            {
                return i;
            }
        }
        var ids = new HashSet<SpanId>(spans.Length);
        foreach (ref readonly var span in spans)
        {
            ids.Add(span.SpanId);
        }
        for (var i = 0; i < spans.Length; i++)
        {
            if (!ids.Contains(spans[i].ParentSpanId))
            {
                return i;
            }
        }
        return 0;
    }

    /// <param name="spans">At least one; ordered by start, each once.</param>
    /// <param name="sortKey">As in <see cref="TraceSummary"/>.</param>
    public static TraceSummary Summarise(TraceId traceId, ReadOnlySpan<SpanRow> spans, StringTable strings, long sortKey)
    {
        var parents = ParentsOf(spans);
        var self = SelfTimes(spans, parents);
        var services = new Dictionary<int, (int Spans, int Errors, long Self)>();
        int errors = 0, orphans = 0, matched = 0;
        var end = long.MinValue;
        var firstMatch = default(SpanId);
        for (var i = 0; i < spans.Length; i++)
        {
            ref readonly var span = ref spans[i];
            var error = span.Status == (byte)StatusCode.Error ? 1 : 0;
            errors += error;
            orphans += parents[i] < 0 && !HasNoParent(span) ? 1 : 0;
            end = Math.Max(end, span.EndUnixNano);
            if (span.Matched && matched++ == 0)
            {
                firstMatch = span.SpanId;
            }
            services.TryGetValue(span.Service, out var service);
            services[span.Service] = (service.Spans + 1, service.Errors + error, service.Self + self[i]);
        }
        ref readonly var root = ref spans[RootOf(spans)];
        return new TraceSummary(
            traceId, strings.GetString(root.Service), strings.GetString(root.Name), (StatusCode)root.Status, !HasNoParent(root),
            root.HttpStatusCode == 0 ? null : root.HttpStatusCode, spans[0].StartUnixNano, end - spans[0].StartUnixNano, spans.Length, errors, orphans,
            [.. services.Select(service => new TraceServiceSummary(strings.GetString(service.Key), service.Value.Spans, service.Value.Errors, service.Value.Self))
                .OrderByDescending(service => service.SelfNano).ThenBy(service => service.ServiceName, StringComparer.Ordinal)],
            matched, firstMatch, sortKey);
    }

    private static bool HasNoParent(in SpanRow span) => span.ParentSpanId.IsZero || span.ParentSpanId == span.SpanId;

    /// <summary>The index of each span's parent, or -1.</summary>
    private static int[] ParentsOf(ReadOnlySpan<SpanRow> spans)
    {
        var places = new Dictionary<SpanId, int>(spans.Length);
        for (var i = 0; i < spans.Length; i++)
        {
            places[spans[i].SpanId] = i;
        }
        var parents = new int[spans.Length];
        for (var i = 0; i < spans.Length; i++)
        {
            parents[i] = !HasNoParent(spans[i]) && places.TryGetValue(spans[i].ParentSpanId, out var parent) ? parent : -1;
        }
        return parents;
    }

    /// <summary>Each span's duration less the time that children cover, which are met in the order of their start: so one pass, with how far each parent is covered.</summary>
    private static long[] SelfTimes(ReadOnlySpan<SpanRow> spans, int[] parents)
    {
        var self = new long[spans.Length];
        var coveredTo = new long[spans.Length];
        for (var i = 0; i < spans.Length; i++)
        {
            self[i] = spans[i].DurationNano;
            coveredTo[i] = spans[i].StartUnixNano;
        }
        for (var i = 0; i < spans.Length; i++)
        {
            var parent = parents[i];
            if (parent < 0)
            {
                continue;
            }
            var from = Math.Max(spans[i].StartUnixNano, coveredTo[parent]);
            var to = Math.Min(spans[i].EndUnixNano, spans[parent].EndUnixNano);
            if (to > from)
            {
                self[parent] -= to - from;
                coveredTo[parent] = to;
            }
        }
        return self;
    }
}
