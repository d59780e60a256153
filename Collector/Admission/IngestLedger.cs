using Apm.Telemetry.Otlp;

namespace Apm.Collector.Admission;

/// <summary>
/// What came in and what was refused since the start: for people, where <see cref="IngestMeter"/> is for machines. Its size does not depend on the
/// traffic. Any number of threads; one lock, held for some additions.
/// </summary>
internal sealed class IngestLedger(TimeProvider time, IngestMeter meter)
{
    /// <summary>Refusals kept for the page: enough to see a pattern, few enough to read.</summary>
    public const int MaxRecent = 100;

    /// <summary>Characters of a message that are kept: a sender's text must not fill the memory.</summary>
    public const int MaxMessageChars = 500;

    /// <summary>Width of a step of the series.</summary>
    public const long StepNano = 10_000_000_000;

    /// <summary>Steps of the series: one hour.</summary>
    public const int Steps = 360;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Receiver, string Signal), IngestTotal> _totals = [];
    private readonly Dictionary<(string Receiver, string Signal, string Reason), IngestRejection> _rejections = [];
    private readonly Queue<RecentRejection> _recent = new(MaxRecent);
    private readonly long[] _slotSteps = new long[Steps];
    private readonly long[] _slotItems = new long[Steps];
    private readonly long[] _slotRejected = new long[Steps];

    /// <param name="signal">traces, logs, metrics, profiles, or "" when it is not known.</param>
    /// <param name="wireBytes">The body as received, as far as it was read.</param>
    /// <param name="bytes">After decompression; equal to the former for a plain one.</param>
    public void Record(string receiver, string signal, in Outcome outcome, long wireBytes, long bytes, string? peer)
    {
        meter.Request(receiver, signal, outcome.Reason ?? "accepted", wireBytes, bytes);
        var check = outcome.Check;
        if (outcome.Kind == OutcomeKind.Accepted)
        {
            meter.Items(receiver, signal, check.Items, check.Items - check.Rejected);
        }
        var now = Clock.UnixNano(time);
        lock (_lock)
        {
            AddTotalLocked(receiver, signal, outcome, wireBytes, bytes);
            AddStepLocked(now, check);
            if (outcome.Reason is { } reason)
            {
                AddRejectionLocked(receiver, signal, reason, 0, outcome.Message ?? "", now, peer);
            }
            for (var item = RejectionReason.None + 1; check.Rejected > 0 && (int)item < RejectionReasons.Count; item++)
            {
                if (check.Count(item) is > 0 and var count)
                {
                    AddRejectionLocked(receiver, signal, RejectionReasons.Text(item), count, check.Message ?? "", now, peer);
                }
            }
        }
        for (var item = RejectionReason.None + 1; check.Rejected > 0 && (int)item < RejectionReasons.Count; item++)
        {
            if (check.Count(item) is > 0 and var count)
            {
                meter.Rejected(receiver, signal, RejectionReasons.Text(item), count);
            }
        }
    }

    public IngestSnapshot Snapshot()
    {
        var lastStep = Clock.UnixNano(time) / StepNano;
        var items = new long[Steps];
        var rejected = new long[Steps];
        lock (_lock)
        {
            for (var i = 0; i < Steps; i++)
            {
                var step = lastStep - Steps + 1 + i;
                var slot = (int)(step % Steps);
                if (_slotSteps[slot] == step)
                {
                    items[i] = _slotItems[slot];
                    rejected[i] = _slotRejected[slot];
                }
            }
            return new IngestSnapshot(
                [.. _totals.Values.Select(total => total with { })],
                [.. _rejections.Values.Select(rejection => rejection with { }).OrderByDescending(rejection => rejection.LastUnixNano)],
                [.. _recent.Reverse()],
                new IngestSeries((lastStep - Steps + 1) * StepNano, StepNano, items, rejected));
        }
    }

    private void AddTotalLocked(string receiver, string signal, in Outcome outcome, long wireBytes, long bytes)
    {
        if (!_totals.TryGetValue((receiver, signal), out var total))
        {
            _totals[(receiver, signal)] = total = new IngestTotal(receiver, signal);
        }
        total.Requests++;
        total.Items += outcome.Check.Items;
        total.RejectedItems += outcome.Check.Rejected;
        total.RejectedRequests += outcome.Reason is null ? 0 : 1;
        total.Bytes += bytes;
        total.CompressedBytes += wireBytes;
    }

    private void AddStepLocked(long now, OtlpCheckResult check)
    {
        var step = now / StepNano;
        var slot = (int)(step % Steps);
        if (_slotSteps[slot] != step)
        {
            _slotSteps[slot] = step;
            _slotItems[slot] = 0;
            _slotRejected[slot] = 0;
        }
        _slotItems[slot] += check.Items;
        _slotRejected[slot] += check.Rejected;
    }

    private void AddRejectionLocked(string receiver, string signal, string reason, int items, string message, long now, string? peer)
    {
        if (message.Length > MaxMessageChars)
        {
            message = string.Concat(message.AsSpan(0, MaxMessageChars), "…");
        }
        if (!_rejections.TryGetValue((receiver, signal, reason), out var rejection))
        {
            _rejections[(receiver, signal, reason)] = rejection = new IngestRejection(receiver, signal, reason);
        }
        rejection.Items += items;
        rejection.Requests++;
        rejection.LastUnixNano = now;
        rejection.LastMessage = message;
        if (_recent.Count == MaxRecent)
        {
            _recent.Dequeue();
        }
        _recent.Enqueue(new RecentRejection(now, receiver, signal, reason, message, items, peer));
    }
}
