using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <param name="Name">Database, destination or host: a code in the scan's strings.</param>
/// <param name="System">db.system.name or messaging.system, or "": likewise.</param>
internal readonly record struct Peer(PeerType Type, int Name, int System);

/// <summary>Whom a client, producer or consumer span of a block talks to, by OpenTelemetry's attributes: the current names first, then the ones before.</summary>
internal readonly ref struct PeerColumns(RowBlock block, StringTable strings)
{
    private readonly CodedColumn?[] _dbSystem = Columns(block, "db.system.name", "db.system");
    private readonly CodedColumn?[] _dbName = Columns(block, "db.namespace", "db.name", "server.address", "net.peer.name");
    private readonly CodedColumn?[] _messagingSystem = Columns(block, "messaging.system");
    private readonly CodedColumn?[] _destination = Columns(block, "messaging.destination.name", "messaging.destination");
    private readonly CodedColumn?[] _host = Columns(block, "peer.service", "server.address", "net.peer.name");
    private readonly CodedColumn?[] _url = Columns(block, "url.full", "http.url");
    private readonly StringTable _strings = strings;

    /// <summary>Null when the attributes name nobody.</summary>
    public Peer? Of(int row, SpanKind kind)
    {
        var destination = TextOf(_destination, row);
        var messagingSystem = TextOf(_messagingSystem, row);
        if (kind == SpanKind.Consumer)
        {
            return destination.IsEmpty ? null : NewPeer(PeerType.Queue, destination, messagingSystem);
        }
        if (TextOf(_dbSystem, row) is { IsEmpty: false } dbSystem)
        {
            return NewPeer(PeerType.Database, TextOf(_dbName, row) is { IsEmpty: false } name ? name : dbSystem, dbSystem);
        }
        if (!destination.IsEmpty || !messagingSystem.IsEmpty)
        {
            return NewPeer(PeerType.Queue, !destination.IsEmpty ? destination : messagingSystem, messagingSystem);
        }
        var host = TextOf(_host, row);
        if (host.IsEmpty)
        {
            host = HostOf(TextOf(_url, row));
        }
        return host.IsEmpty ? null : NewPeer(PeerType.External, host, []);
    }

    private Peer NewPeer(PeerType type, ReadOnlySpan<byte> name, ReadOnlySpan<byte> system) => new(type, _strings.Intern(name), _strings.Intern(system));

    private static CodedColumn?[] Columns(RowBlock block, params ReadOnlySpan<string> keys)
    {
        var columns = new CodedColumn?[keys.Length];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = block.GetColumn(Field.Attribute(FieldScope.Record, keys[i]));
        }
        return columns;
    }

    private static ReadOnlySpan<byte> TextOf(CodedColumn?[] columns, int row)
    {
        foreach (var column in columns)
        {
            var code = column is null ? -1 : column.Codes.Span[row];
            if (code >= 0 && column!.Values.GetType(code) == AttributeType.String && column.Values.GetContent(code) is { IsEmpty: false } text)
            {
                return text;
            }
        }
        return [];
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
