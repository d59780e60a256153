using System.Buffers.Binary;
using Apm.Telemetry.Otlp;

namespace Apm.Bench;

/// <summary>
/// The log load that every figure is measured with: 20 services of 3 instances, 26 message templates, an order id of its own in every record's text, trace ids on
/// 80 %, a phrase that one record in 100,000 has, about 206 bytes a record as OTLP.
/// </summary>
internal sealed class LogGenerator
{
    /// <summary>In one record of <see cref="RareEvery"/>.</summary>
    public const string RarePhrase = "ledger checksum drift";

    /// <summary>In about one record of nine.</summary>
    public const string FrequentPhrase = "payment authorized";

    public const int RareEvery = 100_000;

    /// <summary>Records of one trace, where there is one.</summary>
    private const int RecordsPerTrace = 4;

    private static readonly string[] Templates =
    [
        "order {0} accepted for customer {1}", "order {0} payment authorized in {2} ms", "order {0} payment authorized by card issuer", "order {0} reserved {3} items in warehouse {4}",
        "order {0} shipped with carrier {4}", "order {0} cache hit for cart {1}", "order {0} cache miss for cart {1}, loaded in {2} ms", "order {0} price recalculated, {3} lines",
        "order {0} email queued to customer {1}", "order {0} fraud score {3} below threshold", "order {0} inventory synchronised in {2} ms", "order {0} quote computed in {2} ms",
        "order {0} session renewed for customer {1}", "order {0} search returned {3} products in {2} ms", "order {0} discount applied, campaign {4}", "order {0} currency converted, rate {3}",
        "order {0} recommendation list built, {3} products", "order {0} ad slot filled from campaign {4}", "order {0} payment authorized after retry {3}", "order {0} address validated for customer {1}",
        "order {0} connection to database reopened after {2} ms", "order {0} request took {2} ms, slower than expected", "order {0} stock low for product {1}", "order {0} retrying call to payment, attempt {3}",
        "order {0} could not be charged: issuer declined", "order {0} failed: timeout after {2} ms waiting for inventory",
    ];

    private static readonly string[] Loggers = ["Shop.Orders", "Shop.Payments", "Shop.Stock"];

    private readonly ProtobufWriter[] _resources;
    private readonly ProtobufWriter[] _recordsOfResource;
    private readonly ProtobufWriter _record = new();
    private readonly ProtobufWriter _request = new();
    private readonly ProtobufWriter _resourceLogs = new();
    private SeededRandom _random;
    private ulong _nowUnixNano;
    private ulong _traceHigh;
    private ulong _traceLow;

    public LogGenerator(ulong seed, ulong startUnixNano)
    {
        _random = new SeededRandom(seed);
        _nowUnixNano = startUnixNano;
        _resources = Shop.Resources(ref _random);
        _recordsOfResource = [.. _resources.Select(_ => new ProtobufWriter())];
    }

    public long Records { get; private set; }

    /// <summary>The next request.</summary>
    public byte[] Next(int records)
    {
        for (var i = 0; i < records; i++)
        {
            Record();
        }
        _request.Clear();
        for (var i = 0; i < _resources.Length; i++)
        {
            if (_recordsOfResource[i].Length > 0)
            {
                _resourceLogs.Clear();
                _resourceLogs.WriteBytes(1, _resources[i].Written);
                _resourceLogs.WriteBytes(2, _recordsOfResource[i].Written);
                _request.WriteBytes(1, _resourceLogs.Written);
                _recordsOfResource[i].Clear();
            }
        }
        return _request.Written.ToArray();
    }

    private void Record()
    {
        _nowUnixNano += (ulong)_random.Below(200_000);
        if (Records++ % RecordsPerTrace == 0)
        {
            (_traceHigh, _traceLow) = (_random.Next(), _random.Next());
        }
        var resource = _random.Below(_resources.Length);
        var template = _random.Below(Templates.Length);
        var (severity, text) = template switch { >= 24 => (17UL, "Error"), >= 20 => (13UL, "Warning"), _ => (9UL, "Information") };
        var order = $"ord-{_random.Next() & 0xffffffffffff:x12}";
        var body = Records % RareEvery == RareEvery / 2
            ? $"order {order} {RarePhrase} against the archive"
            : string.Format(System.Globalization.CultureInfo.InvariantCulture, Templates[template], order, $"u-{_random.Skewed(400_000)}", _random.Skewed(2_000), _random.Below(10), _random.Below(40));
        var record = _record;
        record.Clear();
        record.WriteFixed64(1, _nowUnixNano);
        record.WriteVarint(2, severity);
        record.WriteString(3, text);
        var value = record.BeginMessage(5);
        record.WriteString(1, body);
        record.EndMessage(value);
        record.Attribute(6, "template", template);
        record.Attribute(6, "log.logger", Loggers[template % Loggers.Length]);
        record.Attribute(6, "queue.id", _random.Below(64));
        record.Attribute(6, "thread.id", 20 + _random.Below(32));
        if (_random.Below(100) < 80)
        {
            Span<byte> id = stackalloc byte[16];
            BinaryPrimitives.WriteUInt64BigEndian(id, _traceHigh);
            BinaryPrimitives.WriteUInt64BigEndian(id[8..], _traceLow);
            record.WriteBytes(9, id);
            BinaryPrimitives.WriteUInt64BigEndian(id, _random.Next() | 1);
            record.WriteBytes(10, id[..8]);
        }
        record.WriteFixed64(11, _nowUnixNano);
        var records = _recordsOfResource[resource];
        if (records.Length == 0)
        {
            var scope = records.BeginMessage(1);
            records.WriteString(1, "Shop.Logging");
            records.EndMessage(scope);
        }
        records.WriteBytes(2, record.Written);
    }
}
