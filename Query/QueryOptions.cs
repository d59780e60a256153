using Apm.Storage;

namespace Apm.Query;

/// <summary>Bounds on queries. Bound to the configuration section <c>Query</c>, checked at start.</summary>
public sealed class QueryOptions
{
    public const string Section = "Query";

    /// <summary>Wall time of one query, waiting not counted: longer than a person waits for a page.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes that one query may read and decode.</summary>
    public long ScannedBytes { get; set; } = 4L << 30;

    /// <summary>Rows that one query may materialise for its answer: the largest trace that is shown whole.</summary>
    public long Rows { get; set; } = 250_000;

    /// <summary>Searches that run at once, which bounds their memory; as many again once they have run for half a second.</summary>
    public int ConcurrentQueries { get; set; } = Math.Max(4, Environment.ProcessorCount * 2);

    /// <summary>Look-ups of a trace by its id that run at once, beside the searches.</summary>
    public int ConcurrentLookups { get; set; } = Math.Max(4, Environment.ProcessorCount * 2);

    /// <summary>Queries that wait for their turn, first come first served; further ones are answered 503 with Retry-After.</summary>
    public int WaitingQueries { get; set; } = 100;

    /// <summary>How long a query waits for its turn before it is answered 503.</summary>
    public TimeSpan WaitLimit { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Live tails open at once: each one polls the store twice a second.</summary>
    public int ConcurrentTails { get; set; } = 50;

    /// <summary>Memory of the answers that clients are reading, at most; a client that reads slowly while others wait for the room is cut off.</summary>
    public long AnswerBytes { get; set; } = 256L << 20;

    internal QueryBudget Budget(TimeSpan time, bool explain) => new(time, ScannedBytes, Rows, explain);

    /// <summary>One line for each wrong setting: its key, its value, and what would be right.</summary>
    internal IEnumerable<string> Errors()
    {
        if (Deadline < TimeSpan.FromMilliseconds(100) || Deadline > TimeSpan.FromMinutes(10))
        {
            yield return $"{Section}:{nameof(Deadline)} is {Deadline}; it must be from 00:00:00.1 to 00:10:00";
        }
        if (WaitLimit <= TimeSpan.Zero || WaitLimit > TimeSpan.FromMinutes(10))
        {
            yield return $"{Section}:{nameof(WaitLimit)} is {WaitLimit}; it must be above 0 and at most 00:10:00";
        }
        if (ScannedBytes < 1 << 20)
        {
            yield return $"{Section}:{nameof(ScannedBytes)} is {ScannedBytes}; it must be at least 1048576";
        }
        if (Rows is < 1_000 or > 10_000_000)
        {
            yield return $"{Section}:{nameof(Rows)} is {Rows}; it must be from 1000 to 10000000";
        }
        if (ConcurrentQueries is < 1 or > 1_000)
        {
            yield return $"{Section}:{nameof(ConcurrentQueries)} is {ConcurrentQueries}; it must be from 1 to 1000";
        }
        if (ConcurrentLookups is < 1 or > 1_000)
        {
            yield return $"{Section}:{nameof(ConcurrentLookups)} is {ConcurrentLookups}; it must be from 1 to 1000";
        }
        if (WaitingQueries is < 0 or > 100_000)
        {
            yield return $"{Section}:{nameof(WaitingQueries)} is {WaitingQueries}; it must be from 0 to 100000";
        }
        if (AnswerBytes < 1 << 20)
        {
            yield return $"{Section}:{nameof(AnswerBytes)} is {AnswerBytes}; it must be at least 1048576";
        }
        if (ConcurrentTails is < 0 or > 10_000)
        {
            yield return $"{Section}:{nameof(ConcurrentTails)} is {ConcurrentTails}; it must be from 0 to 10000";
        }
    }
}
