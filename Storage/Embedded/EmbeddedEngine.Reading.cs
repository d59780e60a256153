using Apm.Telemetry;

namespace Apm.Storage.Embedded;

/// <summary>Snapshots, and the holds on them.</summary>
internal sealed partial class EmbeddedEngine
{
    /// <summary>Cancelled when the engine closes: ends the queries that still run.</summary>
    private readonly CancellationTokenSource _closing = new();

    private volatile Snapshot _snapshot;

    /// <summary>Holds what a query of the signal reads: every row once. Takes no lock. The caller disposes it.</summary>
    /// <exception cref="StoreClosedException">The engine is closed.</exception>
    public SourceLease Lease(Signal signal)
    {
        while (true)
        {
            var snapshot = _snapshot;
            if (_closing.IsCancellationRequested)
            {
                throw new StoreClosedException();
            }
            if (snapshot.Parts.TryHold())
            {
                return new SourceLease(snapshot.Parts, WithoutExpired(snapshot, signal), _closing.Token);
            }
        }
    }

    /// <summary>What has expired and is not dropped yet is not served.</summary>
    private RowSource[] WithoutExpired(Snapshot snapshot, Signal signal)
    {
        var (parts, sources) = signal == Signal.Traces ? (snapshot.Parts.Spans, snapshot.Spans) : (snapshot.Parts.Logs, snapshot.Logs);
        var now = _clock.NowUnixNano;
        return Array.Exists(parts, part => HasExpired(part, now))
            ? [.. parts.Where(part => !HasExpired(part, now)).Select(static part => part.Source), .. sources.AsSpan(parts.Length)]
            : sources;
    }

    /// <summary>The parts, what waits to be sealed and what fills, as one: a row that moves from one to another does so between two snapshots.</summary>
    private void PublishLocked()
    {
        var previous = _snapshot?.Parts;
        var parts = _folder.Parts;
        _snapshot = new Snapshot(
            parts,
            [.. parts.Spans.Select(part => part.Source), .. _frozen.SelectMany(head => head.Spans), .. _head.Spans],
            [.. parts.Logs.Select(part => part.Source), .. _frozen.SelectMany(head => head.Logs), .. _head.Logs],
            _folder.CoveredSpans,
            _folder.CoveredLogs);
        if (previous is not null && previous != parts)
        {
            previous.Release();
        }
    }

    /// <param name="Parts">Held by the engine as long as this is the current snapshot or has the same parts as that.</param>
    private sealed record Snapshot(PartSet Parts, RowSource[] Spans, RowSource[] Logs, long CoveredSpans, long CoveredLogs);
}
