using Apm.Telemetry.Attributes;

namespace Apm.Storage.Columns;

internal static class AttributeTypeExtensions
{
    /// <summary>The value is bytes (a code in a string table), not bits.</summary>
    public static bool HasContent(this AttributeType type) =>
        type is AttributeType.String or AttributeType.Bytes or AttributeType.Array or AttributeType.KeyValueList;
}
