using Apm.Telemetry;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>What edges need to know of a span. Names are codes in the strings of whoever adds edges up.</summary>
internal struct EdgeSpan
{
    public SpanId SpanId;
    public SpanId ParentSpanId;
    public long StartUnixNano;
    public long DurationNano;
    public int Service;
    public int Name;

    /// <summary>Database, destination or host that the attributes name; 0 when they name none.</summary>
    public int PeerName;

    /// <summary>db.system.name or messaging.system, or 0.</summary>
    public int PeerSystem;

    /// <summary>What the peer is; also known of a consumer.</summary>
    public PeerType PeerType;

    /// <summary>Of a consumer that names nobody: first of its links in <see cref="EdgeSpanReader.Links"/>, and how many it has.</summary>
    public int FirstLink;
    public int LinkCount;

    public SpanKind Kind;
    public bool Error;

    /// <summary>Stored in a source before those whose edges are added up.</summary>
    public bool IsEarlier;

    public readonly bool IsCall => Kind is SpanKind.Client or SpanKind.Producer;
}
