namespace Apm.Telemetry.Attributes;

/// <summary>The cases of opentelemetry.proto.common.v1.AnyValue. The numbers are on disk: never renumber.</summary>
public enum AttributeType : byte
{
    /// <summary>An AnyValue with no case set.</summary>
    Empty = 0,
    String = 1,
    Bool = 2,
    Int64 = 3,
    Double = 4,
    Bytes = 5,
    /// <summary>Kept as the raw bytes of the AnyValue message.</summary>
    Array = 6,
    /// <summary>Kept as the raw bytes of the AnyValue message.</summary>
    KeyValueList = 7,
}
