using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Query.Traces;

/// <summary>What a span's attributes say about what it calls: the peer, and the detail that tells it from its siblings. OpenTelemetry's names, new and old.</summary>
internal sealed class SpanDescription
{
    /// <summary>Characters of a detail: a line in the waterfall.</summary>
    private const int MaxDetailChars = 200;

    // In the order of preference.
    private static readonly string[] s_destinations = ["messaging.destination.name", "messaging.destination", "messaging.system"];
    private static readonly string[] s_databaseSystems = ["db.system.name", "db.system"];
    private static readonly string[] s_databases = ["db.namespace", "db.name", "server.address", "net.peer.name"];
    private static readonly string[] s_hosts = ["peer.service", "server.address", "net.peer.name"];
    private static readonly string[] s_urls = ["url.full", "http.url"];
    private static readonly string[] s_details =
        ["db.query.text", "db.statement", "url.full", "http.url", "url.path", "http.target", "messaging.destination.name", "rpc.method", "graphql.document"];
    private static readonly string[] s_httpStatuses = ["http.response.status_code", "http.status_code"];

    private readonly ColumnBatch _spans;
    private readonly int[] _destinations;
    private readonly int[] _databases;
    private readonly int[] _hosts;
    private readonly int[] _databaseSystems;
    private readonly int[] _urls;
    private readonly int[] _details;
    private readonly int[] _httpStatuses;

    public SpanDescription(ColumnBatch spans)
    {
        _spans = spans;
        int[] Codes(string[] keys) => [.. keys.Select(key => spans.Strings.Find(Encoding.UTF8.GetBytes(key))).Where(code => code >= 0)];
        _destinations = Codes(s_destinations);
        _databases = Codes(s_databases);
        _hosts = Codes(s_hosts);
        _databaseSystems = Codes(s_databaseSystems);
        _urls = Codes(s_urls);
        _details = Codes(s_details);
        _httpStatuses = Codes(s_httpStatuses);
    }

    /// <summary>The database, destination or host that a client or producer span calls, named as the edges between services name it; null for other spans, and when nothing does.</summary>
    public string? Peer(int row)
    {
        if ((SpanKind)_spans.Kind[row] is not (SpanKind.Client or SpanKind.Producer))
        {
            return null;
        }
        if (First(row, _databaseSystems) is { } system)
        {
            return First(row, _databases) ?? system;
        }
        return First(row, _destinations) ?? First(row, _hosts) ?? HostOf(First(row, _urls));
    }

    private static string? HostOf(string? url) => Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Host.Length > 0 ? uri.Host : null;

    /// <summary>Null when no attribute tells the span from others of its name.</summary>
    public string? Detail(int row) => First(row, _details) is { } detail ? Shorten(detail) : null;

    public int? HttpStatusCode(int row) => First(row, _httpStatuses) is { } text
        && int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var code) ? code : null;

    /// <summary>The detail with its literals replaced by ?, so that the calls of a loop, which differ only in them, are alike.</summary>
    public static string WithoutLiterals(string detail)
    {
        var builder = new StringBuilder(detail.Length);
        for (var i = 0; i < detail.Length; i++)
        {
            var c = detail[i];
            if (c is '\'')
            {
                var end = detail.IndexOf(c, i + 1);
                i = end < 0 ? detail.Length : end;
                builder.Append('?');
            }
            else if (char.IsAsciiDigit(c) && (i == 0 || !char.IsAsciiLetter(detail[i - 1])))
            {
                while (i + 1 < detail.Length && char.IsAsciiHexDigit(detail[i + 1]))
                {
                    i++;
                }
                builder.Append('?');
            }
            else
            {
                builder.Append(c);
            }
        }
        return builder.ToString();
    }

    private string? First(int row, int[] keys)
    {
        foreach (var key in keys)
        {
            var entry = _spans.Attributes.Find(row, key);
            if (entry >= 0)
            {
                var text = _spans.Attributes.GetValue(entry, _spans.Strings).ToString();
                if (text.Length > 0)
                {
                    return text;
                }
            }
        }
        return null;
    }

    private static string Shorten(string text)
    {
        var builder = new StringBuilder(Math.Min(text.Length, MaxDetailChars));
        var space = false;
        foreach (var c in text)
        {
            if (char.IsWhiteSpace(c))
            {
                space = builder.Length > 0;
                continue;
            }
            if (builder.Length + 1 >= MaxDetailChars)
            {
                return builder.Append('…').ToString();
            }
            if (space)
            {
                builder.Append(' ');
                space = false;
            }
            builder.Append(c);
        }
        return builder.ToString();
    }
}
