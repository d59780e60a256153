using Apm.Telemetry.Otlp;

namespace Apm.Bench;

/// <summary>Writes opentelemetry.proto.common.v1.KeyValue.</summary>
internal static class AttributeField
{
    public static void Attribute(this ProtobufWriter writer, int field, string key, string text)
    {
        var attribute = writer.BeginMessage(field);
        writer.WriteString(1, key);
        var value = writer.BeginMessage(2);
        writer.WriteString(1, text);
        writer.EndMessage(value);
        writer.EndMessage(attribute);
    }

    public static void Attribute(this ProtobufWriter writer, int field, string key, long number)
    {
        var attribute = writer.BeginMessage(field);
        writer.WriteString(1, key);
        var value = writer.BeginMessage(2);
        writer.WriteVarint(3, (ulong)number);
        writer.EndMessage(value);
        writer.EndMessage(attribute);
    }
}
