using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>Edges as they are found, by minute: what they add up to, with what was taken back. One thread.</summary>
/// <param name="range">Spans that start elsewhere do not count.</param>
internal sealed class EdgeLog(StringTable strings, TimeRange range, int maxGroups = EdgeGroups.MaxGroups)
{
    /// <summary>Records kept before they are packed.</summary>
    private const int MaxRecords = 1 << 20;

    private readonly List<RollupCells> _packed = [];
    private CellLog _log = new(0);

    public EdgeGroups Groups { get; } = new(strings);

    /// <summary>1 to count what is found, -1 to take it back.</summary>
    public int Sign { get; set; } = 1;

    public void Add(int client, int server, EdgeKind kind, int system, int operation, long startUnixNano, long durationNano, bool error)
    {
        if (!range.Contains(startUnixNano) || Groups.NumberOf(client, server, kind, system, operation, maxGroups) is not (var group and >= 0))
        {
            return;
        }
        var minute = RollupTiers.MinuteOf(startUnixNano);
        if (Sign > 0)
        {
            _log.Record(group, minute, durationNano, error);
        }
        else
        {
            _log.TakeBack(group, minute, durationNano, error);
        }
        if (_log.Count >= MaxRecords)
        {
            Pack();
        }
    }

    /// <summary>Minute cells of <see cref="Groups"/>.</summary>
    public RollupCells ToCells()
    {
        if (_packed.Count == 0)
        {
            return _log.ToCells(Groups.Count);
        }
        Pack();
        return RollupMerge.AddUp(_packed, Groups.Count);
    }

    private void Pack()
    {
        _packed.Add(_log.ToCells(Groups.Count));
        _log = new CellLog(0);
    }
}
