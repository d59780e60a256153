namespace Apm.Storage.Embedded.Retention;

/// <summary>
/// The time by which rows grow old. A clock that is set forward would drop everything at once: a jump is believed only when it has lasted. Set back, it is
/// believed at once, as that drops less. One thread observes; any reads.
/// </summary>
internal sealed class RetentionClock
{
    /// <summary>How long a jump must last. Ten minutes: time synchronisation after a start has corrected a wrong clock by then.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromMinutes(10);

    /// <summary>Less is drift or a small correction.</summary>
    private static readonly TimeSpan s_maxDrift = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time;
    private readonly long _start;

    /// <summary>What is to be added to the measured time since the start: believed, and where the clock says something else for now, that.</summary>
    private DateTimeOffset _origin;
    private DateTimeOffset _jumped;
    private TimeSpan _jumpedAt;
    private long _nowUnixNano;

    /// <param name="lastKnown">When something was last seen to happen, by the clock of then; null: not known. A clock that is far beyond it at the start has jumped, too.</param>
    public RetentionClock(TimeProvider time, DateTimeOffset? lastKnown)
    {
        _time = time;
        _start = time.GetTimestamp();
        var now = time.GetUtcNow();
        _origin = lastKnown is { } known && known < now ? known : now;
        _jumped = _origin;
        Observe();
    }

    /// <summary>Nanoseconds since the Unix epoch, at the last <see cref="Observe"/>.</summary>
    public long NowUnixNano => Volatile.Read(ref _nowUnixNano);

    public void Observe()
    {
        var elapsed = _time.GetElapsedTime(_start);
        var origin = _time.GetUtcNow() - elapsed;
        if (origin - _origin <= s_maxDrift)
        {
            (_origin, _jumped) = (origin, origin);
        }
        else if ((origin - _jumped).Duration() > s_maxDrift)
        {
            (_jumped, _jumpedAt) = (origin, elapsed);
        }
        else if (elapsed - _jumpedAt >= Settling)
        {
            (_origin, _jumped) = (origin, origin);
        }
        Volatile.Write(ref _nowUnixNano, (_origin + elapsed - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick);
    }
}
