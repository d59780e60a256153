using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Apm.Telemetry.Tests.Otlp;

/// <summary>
/// One protobuf message as a list of fields, written once and rendered as protobuf and as OTLP/JSON. The encoding is its own, independent of the
/// product's writer.
/// </summary>
internal sealed class OtlpMessage
{
    private readonly List<(string Name, int Number, object Value)> _fields = [];

    public static OtlpMessage New() => new();

    public OtlpMessage Text(string name, int number, string value) => Add(name, number, value);

    public OtlpMessage Hex(string name, int number, string hex) => Add(name, number, new HexText(hex));

    public OtlpMessage Bytes(string name, int number, byte[] value) => Add(name, number, value);

    public OtlpMessage Bool(string name, int number, bool value) => Add(name, number, value);

    public OtlpMessage Int64(string name, int number, long value) => Add(name, number, value);

    public OtlpMessage UInt32(string name, int number, uint value) => Add(name, number, value);

    public OtlpMessage Enum(string name, int number, int value, string enumName) => Add(name, number, new EnumValue(value, enumName));

    public OtlpMessage Fixed64(string name, int number, ulong value) => Add(name, number, value);

    public OtlpMessage Fixed32(string name, int number, uint value) => Add(name, number, new Fixed32Value(value));

    public OtlpMessage Double(string name, int number, double value) => Add(name, number, value);

    public OtlpMessage Message(string name, int number, OtlpMessage value) => Add(name, number, value);

    public OtlpMessage Repeated(string name, int number, params IEnumerable<OtlpMessage> values) => Add(name, number, values.ToArray());

    public OtlpMessage Attributes(int number, params (string Key, object Value)[] pairs) =>
        Repeated("attributes", number, pairs.Select(pair => KeyValue(pair.Key, pair.Value)));

    public static OtlpMessage KeyValue(string key, object value) => New().Text("key", 1, key).Message("value", 2, AnyValue(value));

    public static OtlpMessage AnyValue(object value) => value switch
    {
        OtlpMessage message => message,
        string text => New().Text("stringValue", 1, text),
        bool truth => New().Bool("boolValue", 2, truth),
        int number => New().Int64("intValue", 3, number),
        long number => New().Int64("intValue", 3, number),
        double number => New().Double("doubleValue", 4, number),
        byte[] bytes => New().Bytes("bytesValue", 7, bytes),
        object[] array => New().Message("arrayValue", 5, New().Repeated("values", 1, array.Select(AnyValue))),
        (string, object)[] pairs => New().Message("kvlistValue", 6, New().Repeated("values", 1, pairs.Select(pair => KeyValue(pair.Item1, pair.Item2)))),
        _ => throw new ArgumentException(value.GetType().Name),
    };

    /// <summary>A value inside <paramref name="depth"/> key-value lists.</summary>
    public static OtlpMessage Nested(int depth)
    {
        var value = AnyValue("leaf");
        for (var i = 0; i < depth; i++)
        {
            value = New().Message("kvlistValue", 6, New().Repeated("values", 1, New().Text("key", 1, "k").Message("value", 2, value)));
        }
        return value;
    }

    public byte[] ToProtobuf()
    {
        var bytes = new List<byte>();
        foreach (var (_, number, value) in _fields)
        {
            switch (value)
            {
                case OtlpMessage[] messages:
                    foreach (var message in messages)
                    {
                        Delimited(bytes, number, message.ToProtobuf());
                    }
                    break;
                case OtlpMessage message:
                    Delimited(bytes, number, message.ToProtobuf());
                    break;
                case string text:
                    Delimited(bytes, number, Encoding.UTF8.GetBytes(text));
                    break;
                case byte[] raw:
                    Delimited(bytes, number, raw);
                    break;
                case HexText hex:
                    Delimited(bytes, number, Convert.FromHexString(hex.Digits));
                    break;
                case ulong fixed64:
                    Varint(bytes, (ulong)number << 3 | 1);
                    bytes.AddRange(BitConverter.GetBytes(fixed64));
                    break;
                case double number64:
                    Varint(bytes, (ulong)number << 3 | 1);
                    bytes.AddRange(BitConverter.GetBytes(number64));
                    break;
                case Fixed32Value fixed32:
                    Varint(bytes, (ulong)number << 3 | 5);
                    bytes.AddRange(BitConverter.GetBytes(fixed32.Value));
                    break;
                default:
                    Varint(bytes, (ulong)number << 3);
                    Varint(bytes, value switch
                    {
                        bool truth => truth ? 1UL : 0,
                        long signed => (ulong)signed,
                        uint count => count,
                        EnumValue constant => (ulong)constant.Value,
                        _ => throw new InvalidOperationException(value.GetType().Name),
                    });
                    break;
            }
        }
        return [.. bytes];
    }

    /// <param name="style">Chooses among the spellings that OTLP/JSON allows; null for the plainest.</param>
    public string ToJson(Random? style = null)
    {
        var json = ToNode(style).ToJsonString(new JsonSerializerOptions { MaxDepth = 100_000 });
        return json;
    }

    private JsonObject ToNode(Random? style)
    {
        var node = new JsonObject();
        foreach (var (name, _, value) in _fields)
        {
            if (style?.Next(10) == 0)
            {
                node[$"unknown{node.Count}"] = JsonNode.Parse("""{"a":[1,{"b":null}],"traceId":7}""");
            }
            node[name] = value switch
            {
                OtlpMessage[] messages => new JsonArray([.. messages.Select(message => message.ToNode(style))]),
                OtlpMessage message => message.ToNode(style),
                string text => text,
                byte[] raw => Convert.ToBase64String(raw),
                HexText hex => Flip(style) ? hex.Digits.ToUpperInvariant() : hex.Digits.ToLowerInvariant(),
                ulong fixed64 => Flip(style) ? JsonValue.Create(fixed64) : fixed64.ToString(CultureInfo.InvariantCulture),
                long signed => Flip(style) ? JsonValue.Create(signed) : signed.ToString(CultureInfo.InvariantCulture),
                double number when !double.IsFinite(number) => double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity",
                double number => Flip(style) ? JsonValue.Create(number) : number.ToString("R", CultureInfo.InvariantCulture),
                bool truth => truth,
                uint count => count,
                Fixed32Value fixed32 => fixed32.Value,
                EnumValue constant => Flip(style) ? constant.Name : JsonValue.Create(constant.Value),
                _ => throw new InvalidOperationException(value.GetType().Name),
            };
        }
        return node;
    }

    private static bool Flip(Random? style) => style?.Next(2) == 1;

    private OtlpMessage Add(string name, int number, object value)
    {
        _fields.Add((name, number, value));
        return this;
    }

    private static void Delimited(List<byte> bytes, int number, byte[] value)
    {
        Varint(bytes, (ulong)number << 3 | 2);
        Varint(bytes, (ulong)value.Length);
        bytes.AddRange(value);
    }

    private static void Varint(List<byte> bytes, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }
        bytes.Add((byte)value);
    }

    private sealed record HexText(string Digits);

    private sealed record Fixed32Value(uint Value);

    private sealed record EnumValue(int Value, string Name);
}
