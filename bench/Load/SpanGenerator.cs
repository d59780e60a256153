using System.Buffers.Binary;
using System.Globalization;
using Apm.Telemetry.Otlp;

namespace Apm.Bench;

/// <summary>
/// The load that every figure is measured with: 20 services, 60 resources, about 10 spans a trace, 10 attributes a span, 4 % exception events,
/// about 525 bytes a span as OTLP. Traces are spread over requests as exporters would: each request holds spans of many services.
/// </summary>
internal sealed class SpanGenerator
{
    private const int ServiceCount = 20;
    private const int InstancesPerService = Shop.InstancesPerService;
    private const int MaxDepth = 4;

    private static readonly IReadOnlyList<string> Services = Shop.Services;
    private static readonly string[] Routes = ["orders", "carts", "products", "users", "payments", "shipments", "quotes", "prices", "stock", "sessions"];
    private static readonly string[] Methods = ["GET", "POST", "GET", "PUT"];
    private static readonly string[] Statements = ["SELECT", "INSERT", "UPDATE", "SELECT"];
    private static readonly string[] UserAgents =
    [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        "okhttp/4.12.0", "Go-http-client/2.0", "python-requests/2.32.3", "curl/8.5.0", "axios/1.7.2",
    ];

    private readonly ProtobufWriter[] _resources;
    private readonly ProtobufWriter[] _spansOfResource;
    private readonly ProtobufWriter _span = new();
    private readonly ProtobufWriter _request = new();
    private readonly ProtobufWriter _resourceSpans = new();
    private readonly string[] _queries = new string[40];
    private readonly string[] _stackTraces = new string[20];
    private readonly int _spansPerRequest;
    private readonly bool _harsh;
    private readonly Action<byte[], int> _sink;
    private SeededRandom _random;
    private ulong _nowUnixNano;
    private ulong _traceHigh;
    private ulong _traceLow;
    private int _pending;
    private long _offset = 100_000;

    /// <param name="harsh">With <see cref="HarshAttributes"/>.</param>
    /// <param name="sink">Takes each request with its number of spans.</param>
    public SpanGenerator(ulong seed, ulong startUnixNano, int spansPerRequest, bool harsh, Action<byte[], int> sink)
    {
        _random = new SeededRandom(seed);
        _nowUnixNano = startUnixNano;
        _spansPerRequest = spansPerRequest;
        _harsh = harsh;
        _sink = sink;
        _resources = Shop.Resources(ref _random);
        _spansOfResource = [.. _resources.Select(_ => new ProtobufWriter())];
        for (var i = 0; i < _queries.Length; i++)
        {
            var table = Routes[i % 10];
            _queries[i] = (i / 10) switch
            {
                0 => $"SELECT id, customer_id, status, total, created_at FROM {table} WHERE id = ? AND tenant_id = ?",
                1 => $"INSERT INTO {table} (id, customer_id, status, total, created_at) VALUES (?, ?, ?, ?, ?)",
                2 => $"UPDATE {table} SET status = ?, updated_at = ? WHERE id = ? AND version = ?",
                _ => $"SELECT p.id, p.name, s.qty FROM {table} p JOIN stock s ON s.pid = p.id WHERE p.category = ? ORDER BY p.name LIMIT ?",
            };
        }
        for (var i = 0; i < _stackTraces.Length; i++)
        {
            _stackTraces[i] = $"System.InvalidOperationException: failure in {Services[i]}\n" + string.Concat(Enumerable.Range(0, 7).Select(k =>
                $"   at Shop.{Services[(i + k) % ServiceCount]}.Handlers.{Routes[((i * 3) + k) % 10]}Handler.Handle{k}(Request request, CancellationToken ct) in /src/{Services[i]}/Handlers/{Routes[(i + k) % 10]}.cs:line {100 + (i * 7) + k}\n"));
        }
    }

    /// <summary>Makes one trace; its spans fill requests.</summary>
    public void Generate() => Trace();

    private string Id() => $"{_random.Next():x16}{_random.Next():x16}";

    private void Trace()
    {
        _nowUnixNano += (ulong)_random.Below(2_000_000);
        _traceHigh = _random.Next();
        _traceLow = _random.Next();
        var failed = _random.Below(100) < 2;
        var duration = (ulong)(5e6 * Math.Exp(1.1 * _random.Normal()));
        Server(_random.Below(3) == 0 ? 0 : _random.Below(ServiceCount), 0, _nowUnixNano, duration + 50_000, 0, failed);
    }

    private void Server(int service, ulong parent, ulong start, ulong duration, int depth, bool failed)
    {
        var resource = (service * InstancesPerService) + _random.Below(InstancesPerService);
        var id = _random.Next() | 1;
        var operation = _random.Skewed(24);
        var children = depth >= MaxDepth ? 0 : 1 + _random.Below(4);
        var time = start + (duration / 20);
        var slot = children > 0 ? duration * 8 / 10 / (ulong)children : 0;
        for (var child = 0; child < children; child++)
        {
            var childDuration = (ulong)(slot * (0.2 + (0.7 * _random.Share()))) + (ulong)_random.Below(1000) + 1;
            var childStart = time + (ulong)_random.Below(5000);
            switch (_random.Below(10))
            {
                case < 4:
                    Span(resource, _random.Next() | 1, id, childStart, childDuration, 2, _random.Skewed(40), failed && child == 0 && depth > 2);
                    break;
                case < 6:
                    Span(resource, _random.Next() | 1, id, childStart, childDuration, 3, _random.Skewed(60), false);
                    break;
                case < 7:
                    Span(resource, _random.Next() | 1, id, childStart, childDuration, 4, _random.Skewed(20), false);
                    break;
                default:
                    var call = _random.Next() | 1;
                    var callee = _random.Skewed(20);
                    Span(resource, call, id, childStart, childDuration, 1, callee, failed);
                    Server((service + callee) % ServiceCount, call, childStart + (childDuration / 20) + (ulong)_random.Below(200_000), childDuration * 9 / 10, depth + 1, failed);
                    break;
            }
            time += slot;
        }
        Span(resource, id, parent, start, duration, 0, operation, failed);
    }

    /// <param name="type">0 server, 1 client, 2 database, 3 internal, 4 producer.</param>
    private void Span(int resource, ulong id, ulong parent, ulong start, ulong duration, int type, int operation, bool failed)
    {
        Span<byte> bytes = stackalloc byte[16];
        var span = _span;
        span.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(bytes, _traceHigh);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], _traceLow);
        span.WriteBytes(1, bytes);
        BinaryPrimitives.WriteUInt64BigEndian(bytes, id);
        span.WriteBytes(2, bytes[..8]);
        if (parent != 0)
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes, parent);
            span.WriteBytes(4, bytes[..8]);
        }
        var service = resource / InstancesPerService;
        var route = Routes[(operation + service) % 10];
        span.WriteString(5, type switch
        {
            0 => $"{Methods[operation & 3]} /api/v1/{route}/{{id}}",
            1 => Methods[operation & 3],
            2 => $"{Statements[operation % 40 / 10]} shop.{Routes[operation % 10]}",
            3 => $"{route}Handler.Process{operation % 7}",
            _ => $"{route}-events publish",
        });
        span.WriteVarint(6, (ulong)(type switch { 0 => 2, 1 => 3, 2 => 3, 3 => 1, _ => 4 }));
        span.WriteFixed64(7, start);
        span.WriteFixed64(8, start + duration);
        Attributes(span, type, service, route, operation, failed);
        if (_harsh)
        {
            HarshAttributes.Write(span, ref _random, route);
        }
        if (failed || _random.Below(100) < 3)
        {
            var happened = span.BeginMessage(11);
            span.WriteFixed64(1, start + (duration / 2));
            span.WriteString(2, "exception");
            span.Attribute(3, "exception.type", "System.InvalidOperationException");
            span.Attribute(3, "exception.message", string.Create(CultureInfo.InvariantCulture, $"Operation failed for id {_random.Below(2_000_000)}"));
            span.Attribute(3, "exception.stacktrace", _stackTraces[(service + operation) % 20]);
            span.EndMessage(happened);
        }
        var status = span.BeginMessage(15);
        if (failed)
        {
            span.WriteVarint(3, 2);
        }
        span.EndMessage(status);
        span.WriteFixed32(16, 0x101);
        var spans = _spansOfResource[resource];
        if (spans.Length == 0)
        {
            var scope = spans.BeginMessage(1);
            spans.WriteString(1, type == 0 ? "Microsoft.AspNetCore" : "Shop.Instrumentation");
            spans.WriteString(2, "1.12.0");
            spans.EndMessage(scope);
        }
        spans.WriteBytes(2, span.Written);
        if (++_pending >= _spansPerRequest)
        {
            Flush();
        }
    }

    private void Attributes(ProtobufWriter span, int type, int service, string route, int operation, bool failed)
    {
        var status = failed ? (_random.Below(3) == 0 ? 503 : 500) : operation % 4 == 1 ? 201 : 200;
        switch (type)
        {
            case 0:
                var client = _random.Skewed(60_000);
                span.Attribute(9, "http.request.method", Methods[operation & 3]);
                span.Attribute(9, "url.path", $"/api/v1/{route}/{_random.Below(2_000_000)}");
                span.Attribute(9, "url.scheme", "https");
                span.Attribute(9, "http.route", $"/api/v1/{route}/{{id}}");
                span.Attribute(9, "http.response.status_code", status);
                span.Attribute(9, "server.address", $"{Services[service]}.shop.svc.cluster.local");
                span.Attribute(9, "server.port", 8080);
                span.Attribute(9, "network.protocol.version", "1.1");
                span.Attribute(9, "user_agent.original", UserAgents[_random.Skewed(UserAgents.Length)]);
                span.Attribute(9, "client.address", $"10.{(client >> 8) & 255}.{client & 255}.{client * 7 & 255}");
                span.Attribute(9, "enduser.id", $"u-{_random.Skewed(400_000)}");
                break;
            case 1:
                var peer = Services[(service + operation) % ServiceCount];
                span.Attribute(9, "http.request.method", Methods[operation & 3]);
                span.Attribute(9, "url.full", $"https://{peer}.shop.svc.cluster.local:8080/api/v1/{route}/{_random.Below(2_000_000)}");
                span.Attribute(9, "server.address", $"{peer}.shop.svc.cluster.local");
                span.Attribute(9, "server.port", 8080);
                span.Attribute(9, "http.response.status_code", status);
                span.Attribute(9, "network.protocol.version", "2");
                span.Attribute(9, "peer.service", peer);
                span.Attribute(9, "http.request.resend_count", 0);
                span.Attribute(9, "thread.id", 20 + _random.Below(32));
                span.Attribute(9, "thread.name", $"worker-{_random.Below(32)}");
                break;
            case 2:
                span.Attribute(9, "db.system.name", "postgresql");
                span.Attribute(9, "db.namespace", "shop");
                span.Attribute(9, "db.operation.name", Statements[operation % 40 / 10]);
                span.Attribute(9, "db.collection.name", Routes[operation % 10]);
                span.Attribute(9, "db.query.text", _queries[operation % 40]);
                span.Attribute(9, "server.address", "pg-main.shop.internal");
                span.Attribute(9, "server.port", 5432);
                span.Attribute(9, "network.peer.address", $"10.1.0.{operation % 6}");
                span.Attribute(9, "thread.id", 20 + _random.Below(32));
                span.Attribute(9, "db.response.returned_rows", _random.Skewed(500));
                break;
            case 3:
                span.Attribute(9, "code.function.name", $"Shop.{Services[service]}.{route}Handler.Process{operation % 7}");
                span.Attribute(9, "code.file.path", $"/src/{Services[service]}/Handlers/{route}Handler.cs");
                span.Attribute(9, "code.line.number", 40 + (operation % 200));
                span.Attribute(9, "thread.id", 20 + _random.Below(32));
                span.Attribute(9, "thread.name", $"worker-{_random.Below(32)}");
                span.Attribute(9, "app.order.id", $"ord-{_random.Next() & 0xffffffffffff:x12}");
                span.Attribute(9, "app.tenant", $"tenant-{_random.Skewed(200)}");
                span.Attribute(9, "app.items", _random.Skewed(40));
                span.Attribute(9, "app.feature_flag", (operation & 1) == 0 ? "on" : "off");
                break;
            default:
                span.Attribute(9, "messaging.system", "kafka");
                span.Attribute(9, "messaging.destination.name", $"{route}-events");
                span.Attribute(9, "messaging.operation.type", "publish");
                span.Attribute(9, "messaging.message.id", Id());
                span.Attribute(9, "messaging.client.id", $"{Services[service]}-producer-1");
                span.Attribute(9, "messaging.kafka.destination.partition", _random.Below(24));
                span.Attribute(9, "messaging.kafka.message.offset", _offset += 1 + _random.Below(3));
                span.Attribute(9, "server.address", "kafka-0.shop.internal");
                span.Attribute(9, "server.port", 9092);
                span.Attribute(9, "messaging.message.body.size", 200 + _random.Below(3000));
                break;
        }
    }

    private void Flush()
    {
        if (_pending == 0)
        {
            return;
        }
        _request.Clear();
        for (var i = 0; i < _resources.Length; i++)
        {
            if (_spansOfResource[i].Length > 0)
            {
                _resourceSpans.Clear();
                _resourceSpans.WriteBytes(1, _resources[i].Written);
                _resourceSpans.WriteBytes(2, _spansOfResource[i].Written);
                _request.WriteBytes(1, _resourceSpans.Written);
                _spansOfResource[i].Clear();
            }
        }
        _sink(_request.Written.ToArray(), _pending);
        _pending = 0;
    }
}
