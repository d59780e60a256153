using Apm.Storage.Embedded.Encodings;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Tools;

/// <summary>What the bytes of a chunk are.</summary>
internal enum PartChunkKind
{
    Owners,
    Directory,
    TraceIndex,

    /// <summary>A plain column that begins with integers.</summary>
    Integers,

    /// <summary>Ids, as on the wire.</summary>
    Ids,
    Codes,
    RawValues,
    Dictionary,
    Bloom,
    TextFilter,
}

/// <param name="Column">The column's name, an attribute key with its scope before it; for the rest what it is.</param>
/// <param name="Block">-1 when the chunk belongs to the whole part.</param>
/// <param name="Values">In the chunk; 0 where that is not known from the directory.</param>
/// <param name="Stripe">Filters of several blocks, from <paramref name="Block"/> on: the reference says where they lie, their pages have the checksums.</param>
internal readonly record struct PartChunk(ChunkRef Reference, PartChunkKind Kind, string Column, int Block, long Values, FilterStripe? Stripe = null)
{
    /// <summary>Reads it and checks what can be checked without knowing the values.</summary>
    /// <exception cref="CorruptPartException">It is damaged.</exception>
    public void Check(PartFile file)
    {
        if (Stripe is not { } stripe)
        {
            file.Read(Reference).Dispose();
            return;
        }
        Span<byte> page = stackalloc byte[FilterStripe.MaxPageBytes];
        for (var number = 0; number < stripe.Pages; number++)
        {
            stripe.ReadPage(file, number, page);
        }
    }
}

/// <summary>Every chunk that a part's footer and directory refer to, absent ones too.</summary>
internal static class PartChunks
{
    /// <exception cref="CorruptPartException">The directory is damaged.</exception>
    public static List<PartChunk> Of(PartSource part)
    {
        var footer = part.File.Footer;
        var chunks = new List<PartChunk>
        {
            new(footer.Owners, PartChunkKind.Owners, "owners", -1, 0),
            new(footer.Directory, PartChunkKind.Directory, "directory", -1, 0),
        };
        foreach (var page in footer.TracePages)
        {
            chunks.Add(new PartChunk(page.Chunk, PartChunkKind.TraceIndex, "trace index", -1, page.Entries));
        }
        var directory = part.Directory;
        for (var block = 0; block < part.BlockCount; block++)
        {
            foreach (var column in directory.PlainColumns)
            {
                chunks.Add(new PartChunk(directory.Plain(column, block), KindOf(column), NameOf(column), block, part.GetBounds(block).Rows));
            }
            if (directory.BloomChunks.Length > 0)
            {
                chunks.Add(new PartChunk(directory.BloomChunks[block], PartChunkKind.Bloom, "bloom", block, 0));
            }
        }
        AddStripes(chunks, directory.Blooms, PartChunkKind.Bloom, "bloom");
        AddStripes(chunks, directory.Texts, PartChunkKind.TextFilter, IntrinsicKey.Body + " text filter");
        foreach (var column in directory.Columns)
        {
            var name = NameOf(column);
            if (column.IsDictionary)
            {
                chunks.Add(new PartChunk(column.Dictionary, PartChunkKind.Dictionary, name, -1, column.Distinct));
            }
            foreach (var inBlock in column.Blocks)
            {
                chunks.Add(new PartChunk(inBlock.Chunk, column.IsDictionary ? PartChunkKind.Codes : PartChunkKind.RawValues, name, inBlock.Block, inBlock.Entries));
                if (part.File.Version < PartFormat.StripesVersion && inBlock.Raw.HasTextFilter)
                {
                    chunks.Add(new PartChunk(inBlock.Raw.TextFilter, PartChunkKind.TextFilter, name + " text filter", inBlock.Block, 0));
                }
            }
        }
        return chunks;
    }

    public static string NameOf(ValueColumn column) => column.Scope switch
    {
        ValueScope.Intrinsic => column.Name,
        ValueScope.Record => "attribute." + column.Name,
        ValueScope.Event => "event.attribute." + column.Name,
        _ => "link.attribute." + column.Name,
    };

    public static string NameOf(PlainColumn column) => string.Concat(column.ToString().Select((letter, i) => char.IsUpper(letter) ? (i > 0 ? "_" : "") + char.ToLowerInvariant(letter) : letter.ToString()));

    /// <summary>The encoding of the integers that a chunk begins with; null for one that begins otherwise.</summary>
    public static string? EncodingOf(in PartChunk chunk, RentedChunk content)
    {
        if (chunk.Reference.IsAbsent || content.Length == 0 || chunk.Kind is not (PartChunkKind.Integers or PartChunkKind.Codes))
        {
            return chunk.Kind == PartChunkKind.RawValues ? "values" : null;
        }
        var reader = content.Reader();
        if (chunk.Column == NameOf(PlainColumn.TraceRuns))
        {
            reader.VarUInt();
        }
        return reader.Remaining == 0 ? null : reader.Byte() switch
        {
            IntColumn.Constant => "constant",
            IntColumn.Runs => "runs",
            IntColumn.Packed => "packed",
            IntColumn.FrameOfReference => "frames",
            IntColumn.Raw => "raw",
            _ => "unknown",
        };
    }

    private static void AddStripes(List<PartChunk> chunks, FilterStripes stripes, PartChunkKind kind, string name)
    {
        foreach (var stripe in stripes.All)
        {
            var bytes = (int)stripe.StoredBytes;
            var reference = bytes == 0 ? default : new ChunkRef(stripe.Offset, bytes, bytes, ChunkCodec.Plain, 0);
            chunks.Add(new PartChunk(reference, kind, name, stripe.FirstBlock, 0, stripe));
        }
    }

    private static PartChunkKind KindOf(PlainColumn column) =>
        column is PlainColumn.TraceId or PlainColumn.SpanId or PlainColumn.LinkTraceId or PlainColumn.LinkSpanId ? PartChunkKind.Ids : PartChunkKind.Integers;
}
