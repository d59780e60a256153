using System.Globalization;

namespace Apm.Storage.Embedded;

/// <summary>Bounds of the embedded store; section <c>Storage</c>. Immutable once the store is open.</summary>
public sealed class EmbeddedStoreOptions
{
    public const string Section = "Storage";

    /// <summary>Rows in memory, of both signals, that are sealed into parts. 128 Ki: a part of about 5 MB, sealed in a quarter of a second.</summary>
    public int SealRows { get; set; } = 131_072;

    /// <summary>Bytes of rows in memory that are sealed whatever their number. 48 MiB: with two heads waiting and one being encoded, under 200 MiB at the highest rate.</summary>
    public long SealBytes { get; set; } = 48L << 20;

    /// <summary>Longest time a row stays in memory only: bounds what a restart replays from the buffer, and what the buffer must keep.</summary>
    public TimeSpan SealAge { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Full heads that may wait for sealing, the one in work included; beyond it appends wait. 2: one is encoded while the next fills.</summary>
    public int WaitingHeads { get; set; } = 2;

    /// <summary>Decoded directories, dictionaries and index pages kept. 48 MiB: the directories of about 100 million spans, and as much again of the rest.</summary>
    public long CacheBytes { get; set; } = 48L << 20;

    /// <summary>Free bytes on the disk below which new data is refused, so that what was accepted can still be sealed, and the operator has time. 0: never. 1 GiB.</summary>
    public long MinFreeBytes { get; set; } = 1L << 30;

    /// <summary>The same as a share of the disk; the larger of the two counts. 1 %.</summary>
    public double MinFreePercent { get; set; } = 1;

    /// <summary>Wait after a failed seal or merge (a full disk), doubled up to <see cref="MaxRetryDelay"/>.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(1);

    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest a shutdown seals what is in memory; what is left then is replayed from the buffer.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Everything that is wrong, each with key, value and what would be right; empty when all is well.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        Check(nameof(SealRows), SealRows, 1, 16 << 20);
        Check(nameof(SealBytes), SealBytes, 1 << 16, 512L << 20);
        Check(nameof(WaitingHeads), WaitingHeads, 1, 16);
        Check(nameof(CacheBytes), CacheBytes, 0, long.MaxValue);
        Check(nameof(MinFreeBytes), MinFreeBytes, 0, long.MaxValue);
        if (!(MinFreePercent >= 0 && MinFreePercent <= 90))
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"{Section}:{nameof(MinFreePercent)} is {MinFreePercent}; it must be from 0 to 90."));
        }
        CheckTime(nameof(SealAge), SealAge, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        CheckTime(nameof(RetryDelay), RetryDelay, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(10));
        CheckTime(nameof(MaxRetryDelay), MaxRetryDelay, RetryDelay, TimeSpan.FromHours(1));
        CheckTime(nameof(ShutdownTimeout), ShutdownTimeout, TimeSpan.Zero, TimeSpan.FromMinutes(10));
        return errors;

        void Check(string key, long value, long min, long max)
        {
            if (value < min || value > max)
            {
                errors.Add(max == long.MaxValue
                    ? string.Create(CultureInfo.InvariantCulture, $"{Section}:{key} is {value}; it must be at least {min}.")
                    : string.Create(CultureInfo.InvariantCulture, $"{Section}:{key} is {value}; it must be from {min} to {max}."));
            }
        }

        void CheckTime(string key, TimeSpan value, TimeSpan min, TimeSpan max)
        {
            if (value < min || value > max)
            {
                errors.Add(string.Create(CultureInfo.InvariantCulture, $"{Section}:{key} is {value}; it must be from {min} to {max}."));
            }
        }
    }
}
