using System.Text;
using Apm.Storage.Embedded.Encodings;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// A value column of a part being written: the values of one attribute key or intrinsic, one after another without gaps, in the order of their rows (events,
/// links). All that is said here is known before the part's first byte is written; the values come block by block.
/// </summary>
internal abstract class ContentColumn
{
    protected ContentColumn(ValueScope scope, byte[] key)
    {
        Scope = scope;
        Key = key;
        IsDetail = scope is ValueScope.Event or ValueScope.Link
            || (scope == ValueScope.Intrinsic && Encoding.UTF8.GetString(key) is IntrinsicKey.TraceState or IntrinsicKey.EventName or IntrinsicKey.LinkTraceState);
    }

    public ValueScope Scope { get; }

    /// <summary>UTF-8, or whatever bytes were sent.</summary>
    public byte[] Key { get; }

    /// <summary>Of events, links or trace state: no search reads it often.</summary>
    public bool IsDetail { get; }

    /// <summary>Values in all blocks.</summary>
    public abstract long Entries { get; }

    /// <summary>Different values; exact for a dictionary column, of no meaning for another.</summary>
    public abstract int Distinct { get; }

    /// <summary>By <see cref="HasDictionary"/>, or for a reason to say so where it is decided.</summary>
    public abstract bool IsDictionary { get; }

    /// <summary>In the scan section: its values are few, and searches read it often.</summary>
    public bool IsScanned => IsDictionary && !IsDetail;

    /// <summary>Blocks that have entries. 0 for a column without any.</summary>
    public abstract int BlockCount { get; }

    /// <summary>The index-th block that has entries; ascending.</summary>
    public abstract int BlockNumber(int index);

    /// <summary>Values in the index-th block that has any: at least one.</summary>
    public abstract int BlockEntries(int index);

    /// <summary>Fills in the codes of the index-th block that has entries: numbers of values in the dictionary. Indexes ascend. Dictionary columns only.</summary>
    public abstract void ReadCodes(int index, Span<int> codes);

    /// <summary>Adds the values of the index-th block that has entries. Indexes ascend. Raw columns only.</summary>
    public abstract void ReadValues(int index, ValueListWriter values);

    /// <summary>Where another part has the values of the index-th block as they are to be written; asked before <see cref="ReadValues"/>, instead of it. Raw columns only.</summary>
    /// <param name="rawIndex">What the other part knows of them.</param>
    public virtual bool TryGetStored(int index, out StoredChunk chunk, out RawIndex rawIndex)
    {
        (chunk, rawIndex) = (default, default);
        return false;
    }

    /// <summary>Adds the <see cref="Distinct"/> values by code; all different, all used. Asked after every block. Dictionary columns only.</summary>
    public abstract void ReadDictionary(ValueListWriter values);

    /// <summary>Which columns have a dictionary (FORMAT.md "Value columns").</summary>
    /// <param name="contentBytes">Bytes of content of the different values.</param>
    public static bool HasDictionary(int distinct, long entries, long contentBytes) =>
        (distinct <= PartFormat.SmallDictionaryValues || entries >= (long)distinct * PartFormat.MinUsesPerDictionaryValue) && contentBytes <= PartFormat.MaxDictionaryBytes;
}
