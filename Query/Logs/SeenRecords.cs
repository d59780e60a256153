using Apm.Storage.Columns;

namespace Apm.Query.Logs;

/// <summary>
/// Which records of the last few seconds a tail has shown, by a hash of their content: log records have no ids. Equal records are counted, so that two of them
/// show twice. Used by one tail.
/// </summary>
internal sealed class SeenRecords(long keptNano)
{
    private readonly Dictionary<ulong, Entry> _entries = [];

    // Records that were dropped, by the time of the oldest record returned beside them: they stay in the following searches' counts while they are looked back at.
    private readonly List<(long BeforeUnixNano, long Count)> _dropped = [];
    private int _search;
    private long _startUnixNano;

    /// <summary>Begins the next search and forgets what it no longer looks back at.</summary>
    public void BeginSearch(long startUnixNano)
    {
        _search++;
        _startUnixNano = startUnixNano;
        foreach (var (hash, entry) in _entries)
        {
            if (entry.TimeUnixNano < startUnixNano - keptNano)
            {
                _entries.Remove(hash);
            }
        }
        _dropped.RemoveAll(drop => drop.BeforeUnixNano < startUnixNano);
    }

    /// <summary>Asked once for each record of a search.</summary>
    public bool IsNew(ColumnBatch records, int row)
    {
        var hash = Hash(records, row);
        var entry = _entries.GetValueOrDefault(hash);
        if (entry is null)
        {
            _entries.Add(hash, new Entry { TimeUnixNano = records.TimeUnixNano[row], Shown = 1, InSearch = 1, Search = _search });
            return true;
        }
        if (entry.Search != _search)
        {
            entry.Search = _search;
            entry.InSearch = 0;
        }
        entry.InSearch++;
        if (entry.InSearch <= entry.Shown)
        {
            return false;
        }
        entry.Shown++;
        return true;
    }

    /// <summary>Matching records that were neither returned by the search nor shown or dropped before.</summary>
    /// <param name="matched">All that the search counted.</param>
    /// <param name="records">The newest of them, newest first.</param>
    public long CountDropped(long matched, ColumnBatch records)
    {
        var missing = matched - records.Rows;
        if (missing <= 0 || records.Rows == 0)
        {
            return 0;
        }
        var oldest = records.TimeUnixNano[records.Rows - 1];
        var known = _entries.Values.Where(entry => entry.TimeUnixNano >= _startUnixNano && entry.TimeUnixNano < oldest).Sum(entry => (long)entry.Shown)
            + _dropped.Sum(drop => drop.Count);
        var dropped = Math.Max(0, missing - known);
        if (dropped > 0)
        {
            _dropped.Add((oldest, dropped));
        }
        return dropped;
    }

    private static ulong Hash(ColumnBatch records, int row)
    {
        var hash = new HashCode();
        hash.Add(records.TimeUnixNano[row]);
        hash.Add(records.ObservedTimeUnixNano[row]);
        hash.Add(records.TraceId[row]);
        hash.Add(records.SpanId[row]);
        hash.Add(records.SeverityNumber[row]);
        hash.AddBytes(records.Strings[records.Name[row]]);
        hash.Add(records.BodyType[row]);
        if (records.BodyType[row] is Telemetry.Attributes.AttributeType.String or Telemetry.Attributes.AttributeType.KeyValueList)
        {
            hash.AddBytes(records.Strings[(int)records.BodyBits[row]]);
        }
        else
        {
            hash.Add(records.BodyBits[row]);
        }
        var attributes = records.Attributes;
        var end = attributes.Start(row + 1);
        var second = new HashCode();
        for (var i = attributes.Start(row); i < end; i++)
        {
            second.AddBytes(records.Strings[attributes.Keys[i]]);
            second.AddBytes(attributes.GetValue(i, records.Strings).Content);
            second.Add(attributes.GetValue(i, records.Strings).Bits);
        }
        second.AddBytes(System.Text.Encoding.UTF8.GetBytes(records.ServiceName(row)));
        return ((ulong)(uint)hash.ToHashCode() << 32) | (uint)second.ToHashCode();
    }

    private sealed class Entry
    {
        public long TimeUnixNano { get; init; }

        public int Shown { get; set; }

        public int InSearch { get; set; }

        public int Search { get; set; }
    }
}
