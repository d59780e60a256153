using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Numbers of the part format, drawn in FORMAT.md. All of them are on disk: never renumber, never reuse.</summary>
internal static class PartFormat
{
    /// <summary>What is written. Versions 1 and 2 are read: 2 added the chunk codec Brotli, text filters and ranges of raw integers, 3 put filters into stripes.</summary>
    public const ushort Version = 3;

    /// <summary>The first version whose filters are in stripes; before, each block has chunks of its own for them.</summary>
    public const ushort StripesVersion = 3;

    public static ReadOnlySpan<byte> HeaderMagic => "APMPART\n"u8;

    public static ReadOnlySpan<byte> TrailerMagic => "APMPEND\n"u8;

    /// <summary>Magic 8, version 2, signal 1, zero 1, CRC-32C of those 4.</summary>
    public const int HeaderBytes = 16;

    /// <summary>Footer length 4, CRC-32C of the footer and its length 4, magic 8.</summary>
    public const int TrailerBytes = 16;

    /// <summary>Rows in a block: small enough that one row is cheap to reach, large enough for compression and for skipping by bounds.</summary>
    public const int BlockRows = 8_192;

    /// <summary>Trace index entries in a page: one page is read for a lookup, about 5 KB.</summary>
    public const int TracePageEntries = 512;

    /// <summary>A column of at most this many distinct values has a dictionary, however few times each occurs.</summary>
    public const int SmallDictionaryValues = 1_024;

    /// <summary>A column of more distinct values has a dictionary only when each occurs this often on average; else its values are stored raw in each block.</summary>
    public const int MinUsesPerDictionaryValue = 4;

    /// <summary>Bytes of content in a dictionary, which is read whole when its column is used.</summary>
    public const int MaxDictionaryBytes = 1 << 20;

    /// <summary>Largest footer believed: 16 bytes a block and 8 a trace page, with room for parts a hundred times larger than those written now.</summary>
    public const int MaxFooterBytes = 16 << 20;

    /// <summary>Largest chunk believed.</summary>
    public const int MaxChunkBytes = 1 << 30;

    /// <summary>A chunk is stored compressed when that saves at least 1/20 (5 %).</summary>
    public const int MinSavingShare = 20;
}

/// <summary>How a chunk is stored.</summary>
internal enum ChunkCodec : byte
{
    /// <summary>There is no chunk: every value is zero.</summary>
    Absent = 0,
    Plain = 1,
    Lz = 2,
    /// <summary>Text of merged parts: smaller than <see cref="Lz"/> by a third, at several times the work. Since version 2.</summary>
    Brotli = 3,
}

/// <summary>Columns that every part of a signal has, by number.</summary>
internal enum PlainColumn : byte
{
    Resource = 1,
    Scope = 2,
    TraceRuns = 3,
    Time = 4,
    Duration = 5,
    Kind = 6,
    Status = 7,
    Severity = 8,
    RecordShape = 9,
    TraceId = 10,
    SpanId = 11,
    ParentSpanId = 12,
    Flags = 13,
    DroppedAttributes = 14,
    DroppedEvents = 15,
    DroppedLinks = 16,
    EventCount = 17,
    EventTime = 18,
    EventDroppedAttributes = 19,
    EventShape = 20,
    LinkCount = 21,
    LinkTraceId = 22,
    LinkSpanId = 23,
    LinkFlags = 24,
    LinkDroppedAttributes = 25,
    LinkShape = 26,
    ObservedTime = 27,
}

/// <summary>Whose attribute a value column holds.</summary>
internal enum ValueScope : byte
{
    /// <summary>Not an attribute: the key is one of <see cref="IntrinsicKey"/>.</summary>
    Intrinsic = 0,
    Record = 1,
    Event = 2,
    Link = 3,
}

/// <summary>Keys of the value columns that are not attributes.</summary>
internal static class IntrinsicKey
{
    public const string Name = "name";
    public const string StatusMessage = "status_message";
    public const string TraceState = "trace_state";
    public const string EventName = "event.name";
    public const string LinkTraceState = "link.trace_state";
    public const string SeverityText = "severity_text";
    public const string Body = "body";

    /// <summary>The column of an intrinsic; null when it is kept otherwise.</summary>
    public static string? Of(Intrinsic intrinsic) => intrinsic switch
    {
        Intrinsic.Name => Name,
        Intrinsic.StatusMessage => StatusMessage,
        Intrinsic.EventName => EventName,
        Intrinsic.SeverityText => SeverityText,
        Intrinsic.Body => Body,
        _ => null,
    };
}

/// <summary>Where a chunk lies in its file.</summary>
/// <param name="Crc">Of the stored bytes.</param>
internal readonly record struct ChunkRef(long Offset, int StoredBytes, int Bytes, ChunkCodec Codec, uint Crc)
{
    public bool IsAbsent => Codec == ChunkCodec.Absent;
}
