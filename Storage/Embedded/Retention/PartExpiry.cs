using Apm.Storage.Embedded.Parts;

namespace Apm.Storage.Embedded.Retention;

/// <summary>
/// When the rows of a part have been kept for long enough, service by service. All of a part count as old as its last: what goes are whole parts and
/// whole resources. Immutable.
/// </summary>
internal sealed class PartExpiry
{
    /// <summary>By resource; <see cref="long.MaxValue"/>: never.</summary>
    private readonly long[] _ends;

    private readonly long[] _rows;

    private PartExpiry(long[] ends, long[] rows)
    {
        (_ends, _rows) = (ends, rows);
        for (var resource = 0; resource < ends.Length; resource++)
        {
            LastUnixNano = rows[resource] > 0 ? Math.Max(LastUnixNano, ends[resource]) : LastUnixNano;
        }
    }

    /// <summary>When all rows have expired.</summary>
    public long LastUnixNano { get; } = long.MinValue;

    /// <summary>Reads which resource each row has.</summary>
    /// <exception cref="CorruptPartException">The part is damaged.</exception>
    public static PartExpiry Read(StoredPart part, SignalRetention retention)
    {
        var owners = part.Source.Owners;
        var ends = new long[owners.ResourceAttributes.OwnerCount];
        for (var resource = 0; resource < ends.Length; resource++)
        {
            ends[resource] = SignalRetention.EndUnixNano(part.LastUnixNano, retention.Of(owners.ResourceServiceName(resource)));
        }
        var rows = new long[ends.Length];
        for (var number = 0; number < part.Source.BlockCount; number++)
        {
            using var block = part.Source.OpenBlock(number);
            foreach (var resource in block.Resources)
            {
                if ((uint)resource >= (uint)rows.Length)
                {
                    throw new CorruptPartException(part.Source.File.Path, 0, $"resource {resource} of {rows.Length} is unknown");
                }
                rows[resource]++;
            }
        }
        return new PartExpiry(ends, rows);
    }

    public bool Keeps(int resource, long nowUnixNano) => _ends[resource] > nowUnixNano;

    /// <summary>Rows that are past their retention, and when the first of them came to be.</summary>
    public (long Rows, long SinceUnixNano) ExpiredAt(long nowUnixNano)
    {
        var (expired, since) = (0L, long.MaxValue);
        for (var resource = 0; resource < _ends.Length; resource++)
        {
            if (_rows[resource] > 0 && _ends[resource] <= nowUnixNano)
            {
                expired += _rows[resource];
                since = Math.Min(since, _ends[resource]);
            }
        }
        return (expired, since);
    }
}
