using Apm.Storage.Columns;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// Reads the spans of blocks as edges need them: service, and for calls whom they talk to by OpenTelemetry's attributes, the current names first, then the ones
/// before. Each text is looked up once for each value of a dictionary. One thread.
/// </summary>
internal sealed class EdgeSpanReader(StringTable strings)
{
    /// <summary>Links kept: 24 MB. Further ones are as if they led nowhere.</summary>
    private const int MaxLinks = 1 << 20;

    private readonly TextColumn _name = new(Field.Of(Intrinsic.Name), strings);
    private readonly TextColumn[] _dbSystem = Columns(strings, "db.system.name", "db.system");
    private readonly TextColumn[] _dbName = Columns(strings, "db.namespace", "db.name", "server.address", "net.peer.name");
    private readonly TextColumn[] _messagingSystem = Columns(strings, "messaging.system");
    private readonly TextColumn[] _destination = Columns(strings, "messaging.destination.name", "messaging.destination");
    private readonly TextColumn[] _host = Columns(strings, "peer.service", "server.address", "net.peer.name");
    private readonly TextColumn[] _url = [new HostColumn("url.full", strings), new HostColumn("http.url", strings)];
    private readonly ServiceCodes _services = new(strings);
    private EdgeSpan[] _spans = [];
    private int[] _calls = [];
    private int[] _texts = [];
    private int[] _systems = [];
    private int[] _destinations = [];

    /// <summary>What the links of consumers that name nobody point to, of all blocks read since it was cleared.</summary>
    public List<(TraceId TraceId, SpanId SpanId)> Links { get; } = [];

    /// <summary>Every row of the block, in order; valid until the next call.</summary>
    public Span<EdgeSpan> Read(RowSource source, RowBlock block)
    {
        var rows = block.Rows;
        if (_spans.Length < rows)
        {
            _spans = new EdgeSpan[rows];
            _calls = new int[rows];
            _texts = new int[rows];
            _systems = new int[rows];
            _destinations = new int[rows];
        }
        var spanIds = block.SpanIds;
        var parents = block.ParentSpanIds;
        var starts = block.TimeUnixNano;
        var durations = block.DurationNano;
        var kinds = block.Kinds;
        var statuses = block.Statuses;
        var resources = block.Resources;
        var services = _services.Of(source);
        var calls = 0;
        var spans = _spans.AsSpan(0, rows);
        for (var row = 0; row < spans.Length; row++)
        {
            var kind = (SpanKind)kinds[row];
            spans[row] = new EdgeSpan
            {
                SpanId = spanIds[row],
                ParentSpanId = parents[row],
                StartUnixNano = starts[row],
                DurationNano = durations[row],
                Service = services[resources[row]],
                Kind = kind,
                Error = statuses[row] == (byte)StatusCode.Error,
            };
            if (kind is SpanKind.Client or SpanKind.Producer or SpanKind.Consumer)
            {
                _calls[calls++] = row;
            }
        }
        _name.Open(block);
        _name.ReadAll(spans);
        ReadPeers(block, spans, _calls.AsSpan(0, calls));
        return spans;
    }

    private void ReadPeers(RowBlock block, Span<EdgeSpan> spans, Span<int> rows)
    {
        if (rows.IsEmpty)
        {
            return;
        }
        Read(block, _messagingSystem, rows, _systems);
        Read(block, _destination, rows, _destinations);
        Read(block, _dbSystem, rows, _texts);
        var left = 0;
        var databases = 0;
        var nameless = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            ref var span = ref spans[rows[i]];
            if (span.Kind == SpanKind.Consumer)
            {
                (span.PeerType, span.PeerName, span.PeerSystem) = (PeerType.Queue, _destinations[i], _systems[i]);
                nameless += _destinations[i] == 0 ? 1 : 0;
            }
            else if (_texts[i] != 0)
            {
                (span.PeerType, span.PeerSystem) = (PeerType.Database, _texts[i]);
                databases++;
            }
            else if (_destinations[i] != 0 || _systems[i] != 0)
            {
                (span.PeerType, span.PeerName, span.PeerSystem) = (PeerType.Queue, _destinations[i] != 0 ? _destinations[i] : _systems[i], _systems[i]);
            }
            else
            {
                span.PeerType = PeerType.External;
                // Taken out of the list below, which shrinks: hosts are asked for these only.
                (rows[left], rows[i]) = (rows[i], rows[left]);
                left++;
            }
        }
        if (nameless > 0 && block.LinkTargets is { } targets)
        {
            ReadLinks(targets, spans);
        }
        if (databases > 0)
        {
            ReadDatabases(block, spans, rows[left..]);
        }
        ReadHosts(block, spans, rows[..left]);
    }

    private void ReadLinks(LinkTargets targets, Span<EdgeSpan> spans)
    {
        var ends = targets.Ends.Span;
        for (var row = 0; row < spans.Length; row++)
        {
            ref var span = ref spans[row];
            var first = row == 0 ? targets.First : ends[row - 1];
            if (span is { Kind: SpanKind.Consumer, PeerName: 0 } && ends[row] > first && Links.Count < MaxLinks)
            {
                (span.FirstLink, span.LinkCount) = (Links.Count, ends[row] - first);
                for (var link = first; link < ends[row]; link++)
                {
                    Links.Add((targets.TraceIds.Span[link], targets.SpanIds.Span[link]));
                }
            }
        }
    }

    private void ReadDatabases(RowBlock block, Span<EdgeSpan> spans, ReadOnlySpan<int> rows)
    {
        Read(block, _dbName, rows, _texts);
        for (var i = 0; i < rows.Length; i++)
        {
            ref var span = ref spans[rows[i]];
            if (span is { PeerType: PeerType.Database, PeerName: 0 })
            {
                span.PeerName = _texts[i] != 0 ? _texts[i] : span.PeerSystem;
            }
        }
    }

    private void ReadHosts(RowBlock block, Span<EdgeSpan> spans, ReadOnlySpan<int> rows)
    {
        if (rows.IsEmpty)
        {
            return;
        }
        Read(block, _host, rows, _texts);
        if (_texts.AsSpan(0, rows.Length).Contains(0))
        {
            Read(block, _url, rows, _systems);
        }
        for (var i = 0; i < rows.Length; i++)
        {
            spans[rows[i]].PeerName = _texts[i] != 0 ? _texts[i] : _systems[i];
        }
    }

    /// <summary>The first of the columns that has a text, for each of the rows; 0 where none has.</summary>
    private static void Read(RowBlock block, TextColumn[] columns, ReadOnlySpan<int> rows, int[] texts)
    {
        texts.AsSpan(0, rows.Length).Clear();
        foreach (var column in columns)
        {
            if (column.Open(block))
            {
                column.Read(rows, texts);
            }
        }
    }

    private static TextColumn[] Columns(StringTable strings, params ReadOnlySpan<string> keys)
    {
        var columns = new TextColumn[keys.Length];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = new TextColumn(Field.Attribute(FieldScope.Record, keys[i]), strings);
        }
        return columns;
    }

    private class TextColumn(Field field, StringTable strings)
    {
        private const int Unknown = -1;

        private CodedColumn? _column;
        private ValueDictionary? _values;
        private int[] _codes = [];

        protected StringTable Strings { get; } = strings;

        /// <summary>False when no row of the block has the attribute.</summary>
        public bool Open(RowBlock block)
        {
            _column = block.GetColumn(field);
            if (_column is not null && !ReferenceEquals(_column.Values, _values))
            {
                _values = _column.Values;
                if (_codes.Length < _values.Count)
                {
                    _codes = new int[_values.Count];
                }
                _codes.AsSpan(0, _values.Count).Fill(Unknown);
            }
            return _column is not null;
        }

        public void Read(ReadOnlySpan<int> rows, Span<int> texts)
        {
            var codes = _column!.Codes.Span;
            for (var i = 0; i < rows.Length; i++)
            {
                if (texts[i] == 0 && codes[rows[i]] is var code and >= 0)
                {
                    texts[i] = TextOf(code);
                }
            }
        }

        public void ReadAll(Span<EdgeSpan> spans)
        {
            var codes = _column is null ? default : _column.Codes.Span;
            for (var row = 0; row < codes.Length; row++)
            {
                spans[row].Name = codes[row] < 0 ? 0 : TextOf(codes[row]);
            }
        }

        /// <summary>The code of a text that is not empty.</summary>
        protected virtual int Intern(ReadOnlySpan<byte> text) => Strings.Intern(text);

        private int TextOf(int code)
        {
            var known = _codes[code];
            return known != Unknown ? known
                : _codes[code] = _values!.GetType(code) == AttributeType.String && _values.GetContent(code) is { IsEmpty: false } text ? Intern(text) : 0;
        }
    }

    private sealed class HostColumn(string key, StringTable strings) : TextColumn(Field.Attribute(FieldScope.Record, key), strings)
    {
        protected override int Intern(ReadOnlySpan<byte> text) => HostOf(text) is { IsEmpty: false } host ? Strings.Intern(host) : 0;
    }

    /// <summary>The host of <c>scheme://user@host:port/path</c>, without the port.</summary>
    private static ReadOnlySpan<byte> HostOf(ReadOnlySpan<byte> url)
    {
        var start = url.IndexOf("://"u8);
        if (start < 0)
        {
            return [];
        }
        var authority = url[(start + 3)..];
        var end = authority.IndexOfAny((byte)'/', (byte)'?', (byte)'#');
        authority = end < 0 ? authority : authority[..end];
        authority = authority[(authority.LastIndexOf((byte)'@') + 1)..];
        if (!authority.IsEmpty && authority[0] == '[')
        {
            var bracket = authority.IndexOf((byte)']');
            return bracket < 0 ? [] : authority[..(bracket + 1)];
        }
        var port = authority.IndexOf((byte)':');
        return port < 0 ? authority : authority[..port];
    }
}
