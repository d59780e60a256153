using System.Globalization;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Tools;

/// <summary>
/// Checks all that a part's file says: every byte belongs to one chunk, every chunk unpacks, decodes and agrees with the others, and every index says what the
/// rows say. Memory: the rows of one block, the filters of its stripe and 16 bytes a trace. One thread.
/// </summary>
internal sealed class PartVerifier
{
    /// <summary>Findings reported of one part: what follows repeats the same damage.</summary>
    public const int MaxFindings = 100;

    private readonly PartSource _part;
    private readonly string _file;
    private readonly List<FileFinding> _findings = [];
    private readonly HashSet<long> _damagedChunks = [];
    private readonly List<(ulong Id, int Block)> _traces = [];
    private readonly UnpackedStripes _blooms = new();
    private readonly UnpackedStripes _texts = new();

    private PartVerifier(PartSource part)
    {
        _part = part;
        _file = part.File.Path;
    }

    private bool HasRoom => _findings.Count < MaxFindings;

    /// <summary>Every checksum, and that the file has no bytes which nothing refers to.</summary>
    public static IReadOnlyList<FileFinding> VerifyChecksums(PartSource part)
    {
        var verifier = new PartVerifier(part);
        verifier.Try(verifier.Chunks);
        return verifier._findings;
    }

    /// <summary>Everything, at about the cost of reading all rows.</summary>
    public static IReadOnlyList<FileFinding> Verify(PartSource part, CancellationToken cancellationToken)
    {
        var verifier = new PartVerifier(part);
        verifier.Try(verifier.Chunks);
        var hasDirectory = !verifier._damagedChunks.Contains(verifier.DirectoryOffset);
        if (hasDirectory)
        {
            verifier.Try(verifier.Columns);
        }
        for (var block = 0; block < part.BlockCount && verifier.HasRoom && hasDirectory; block++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            verifier.Block(block);
        }
        verifier.Try(verifier.TraceIndex);
        return verifier._findings;
    }

    private void Chunks()
    {
        var chunks = PartChunks.Of(_part).FindAll(chunk => !chunk.Reference.IsAbsent);
        chunks.Sort(static (left, right) => left.Reference.Offset.CompareTo(right.Reference.Offset));
        long end = PartFormat.HeaderBytes;
        foreach (var chunk in chunks)
        {
            if (chunk.Reference.Offset != end)
            {
                Find(Math.Min(end, chunk.Reference.Offset), chunk.Reference.Offset < end
                    ? $"{Describe(chunk)} overlaps the chunk before it by {end - chunk.Reference.Offset} bytes"
                    : $"{chunk.Reference.Offset - end} bytes belong to nothing");
            }
            end = Math.Max(end, chunk.Reference.Offset + chunk.Reference.StoredBytes);
            try
            {
                chunk.Check(_part.File);
            }
            catch (CorruptPartException damage)
            {
                Find(damage.Offset, $"{Describe(chunk)}: {Reason(damage)}");
                _damagedChunks.Add(damage.Offset);
            }
        }
        if (end != _part.File.FooterOffset)
        {
            Find(end, $"the chunks end at {end}, the footer begins at {_part.File.FooterOffset}");
        }
    }

    private void Columns()
    {
        var directory = _part.Directory;
        if (directory.Columns.GroupBy(column => (column.Scope, column.Name)).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            Find(DirectoryOffset, $"column {PartChunks.NameOf(twice.First())} is there {twice.Count()} times");
        }
        foreach (var column in directory.Columns)
        {
            var entries = column.Blocks.Sum(block => (long)block.Entries);
            if (entries != column.Entries)
            {
                Find(DirectoryOffset, $"column {PartChunks.NameOf(column)} has {entries} values in its blocks and {column.Entries} in all");
            }
            if (column.IsDictionary && !(column.Distinct == 0 && column.Dictionary.IsAbsent))
            {
                Try(() => Dictionary(column));
            }
        }
        var owners = _part.Owners;
        if (owners.ResourceAttributes.OwnerCount == 0 || owners.ScopeAttributes.OwnerCount == 0)
        {
            Find(_part.File.Footer.Owners.Offset, "there are rows and no resource or no scope");
        }
    }

    private void Dictionary(ValueColumn column)
    {
        var values = _part.DictionaryOf(column);
        var codes = new Dictionary<AttributeValue, int>(values.Count);
        for (var code = 0; code < values.Count; code++)
        {
            var type = values.GetType(code);
            if (!codes.TryAdd(type.HasContent() ? AttributeValue.FromContent(type, values.GetContent(code)) : AttributeValue.FromBits(type, values.GetBits(code)), code))
            {
                Find(column.Dictionary.Offset, $"the dictionary of {PartChunks.NameOf(column)} has value {code} twice");
            }
        }
    }

    private void Block(int number)
    {
        using var block = (PartBlock)_part.OpenBlock(number);
        var isSpans = _part.Signal == Signal.Traces;
        Try(() => Bounds(block, number));
        Try(() => Owners(block, number));
        if (isSpans)
        {
            Try(() => Mask(block, number, PlainColumn.Kind, block.Kinds));
            Try(() => Mask(block, number, PlainColumn.Status, block.Statuses));
            Try(() => Parents(block, number));
        }
        else
        {
            Try(() => Mask(block, number, PlainColumn.Severity, block.SeverityNumbers));
        }
        Try(() => Traces(block, number));
        Try(() => Order(block, number));
        var events = isSpans ? CountChildren(block, PlainColumn.EventCount) : 0;
        var links = isSpans ? CountChildren(block, PlainColumn.LinkCount) : 0;
        foreach (var column in _part.Directory.Columns)
        {
            var owners = column.Scope switch
            {
                ValueScope.Record => block.Rows,
                ValueScope.Event => events,
                ValueScope.Link => links,
                _ => column.Name switch { IntrinsicKey.EventName => events, IntrinsicKey.LinkTraceState => links, _ => block.Rows },
            };
            if (owners is { } count)
            {
                Try(() => Values(block, number, column, count));
            }
        }
        // What is left (flags, dropped counts, events, links, observed times) decodes, and all of it together makes rows.
        Try(() => block.CopyRows(Enumerable.Range(0, block.Rows).ToArray(), new ColumnBatch(_part.Signal)));
    }

    private void Bounds(PartBlock block, int number)
    {
        var (first, last) = (long.MaxValue, long.MinValue);
        foreach (var time in block.TimeUnixNano)
        {
            (first, last) = (Math.Min(first, time), Math.Max(last, time));
        }
        var (shortest, longest) = (0L, 0L);
        if (_part.Signal == Signal.Traces)
        {
            (shortest, longest) = (long.MaxValue, long.MinValue);
            foreach (var duration in block.DurationNano)
            {
                (shortest, longest) = (Math.Min(shortest, duration), Math.Max(longest, duration));
            }
        }
        var bounds = _part.GetBounds(number);
        var actual = new BlockBounds(block.Rows, first, last, shortest, longest);
        if (bounds != actual)
        {
            Find(_part.File.FooterOffset, $"the bounds of block {number} are {bounds}, its rows have {actual}");
        }
    }

    private void Owners(PartBlock block, int number)
    {
        var owners = _part.Owners;
        Below(block, number, PlainColumn.Resource, block.Resources, owners.ResourceAttributes.OwnerCount);
        Below(block, number, PlainColumn.Scope, block.Scopes, owners.ScopeAttributes.OwnerCount);
        ulong mask = 0;
        foreach (var resource in block.Resources)
        {
            mask |= 1UL << (resource & 63);
        }
        CheckMask(number, PlainColumn.Resource, mask);
    }

    private void Below(PartBlock block, int number, PlainColumn column, ReadOnlySpan<int> values, int count)
    {
        foreach (var value in values)
        {
            if ((uint)value >= (uint)count)
            {
                Find(block.Directory.Plain(column, number).Offset, $"block {number} refers to {PartChunks.NameOf(column)} {value}, and there are {count}");
                return;
            }
        }
    }

    private void Mask(PartBlock block, int number, PlainColumn column, ReadOnlySpan<byte> values)
    {
        ulong mask = 0;
        foreach (var value in values)
        {
            mask |= 1UL << (value & 63);
        }
        CheckMask(number, column, mask);
    }

    private void CheckMask(int number, PlainColumn column, ulong mask)
    {
        if (_part.Directory.Mask(column, number) != mask)
        {
            Find(DirectoryOffset, $"the mask of {PartChunks.NameOf(column)} in block {number} is {_part.Directory.Mask(column, number):x}, its rows have {mask:x}");
        }
    }

    /// <summary>A parent given as a distance is in the row's own trace. The ids decode with the rows.</summary>
    private void Parents(PartBlock block, int number)
    {
        var reference = block.Directory.Plain(PlainColumn.ParentSpanId, number);
        if (reference.IsAbsent)
        {
            return;
        }
        var distances = new long[block.Rows];
        using (var chunk = _part.File.Read(reference))
        {
            var reader = chunk.Reader();
            IntColumn.Decode<long>(ref reader, distances);
        }
        var ids = block.TraceIds;
        for (var row = 0; row < distances.Length; row++)
        {
            if (distances[row] < ParentEncoder.FirstDistance)
            {
                continue;
            }
            var code = (ulong)(distances[row] - ParentEncoder.FirstDistance);
            var parent = row - ((long)(code >> 1) ^ -(long)(code & 1));
            if (parent < 0 || parent >= ids.Length || ids[(int)parent] != ids[row])
            {
                Find(reference.Offset, $"the parent of row {row} of block {number} is row {parent}, which is not in its trace");
                return;
            }
        }
        _ = block.ParentSpanIds;
    }

    private void Traces(PartBlock block, int number)
    {
        var ids = block.TraceIds;
        for (var row = 0; row < ids.Length; row++)
        {
            if (!ids[row].IsZero && (row == 0 || ids[row] != ids[row - 1]))
            {
                _traces.Add((ids[row].Low, number));
            }
        }
    }

    /// <summary>Spans of a run by start; log records by resource, then time.</summary>
    private void Order(PartBlock block, int number)
    {
        var times = block.TimeUnixNano;
        var ids = block.TraceIds;
        var resources = block.Resources;
        for (var row = 1; row < times.Length; row++)
        {
            var follows = _part.Signal == Signal.Traces
                ? ids[row] != ids[row - 1] || times[row] >= times[row - 1]
                : resources[row] > resources[row - 1] || (resources[row] == resources[row - 1] && times[row] >= times[row - 1]);
            if (!follows)
            {
                Find(block.Directory.Plain(PlainColumn.Time, number).Offset, $"row {row} of block {number} is out of order");
                return;
            }
        }
    }

    /// <summary>Null when the column that says so is damaged.</summary>
    private int? CountChildren(PartBlock block, PlainColumn counts)
    {
        int? children = null;
        Try(() => children = PartChildren.Ends(block, counts) is { Length: > 0 } ends ? ends[^1] : 0);
        return children;
    }

    private void Values(PartBlock block, int number, ValueColumn column, int owners)
    {
        var expected = owners;
        if (column.Scope != ValueScope.Intrinsic)
        {
            var (shapes, shapeColumn) = column.Scope switch
            {
                ValueScope.Record => (block.Directory.Records, PlainColumn.RecordShape),
                ValueScope.Event => (block.Directory.Events, PlainColumn.EventShape),
                _ => (block.Directory.Links, PlainColumn.LinkShape),
            };
            var occurrences = new int[shapes.Count];
            shapes.CountOccurrences(column, occurrences);
            expected = 0;
            foreach (var shape in owners == 0 ? [] : block.Shapes(shapeColumn, owners, shapes))
            {
                expected += occurrences[shape];
            }
        }
        var found = column.InBlock(number);
        var name = PartChunks.NameOf(column);
        if ((found?.Entries ?? 0) != expected)
        {
            Find(found is { Chunk.IsAbsent: false } wrong ? wrong.Chunk.Offset : DirectoryOffset, $"{name} has {found?.Entries ?? 0} values in block {number}, its rows say {expected}");
            return;
        }
        if (found is not { } inBlock)
        {
            return;
        }
        var (codes, values) = block.Dense(column, inBlock);
        if (column.IsDictionary)
        {
            ulong mask = 0;
            foreach (var code in codes.AsSpan(0, inBlock.Entries))
            {
                mask |= 1UL << (code & 63);
            }
            if (mask != inBlock.Mask)
            {
                Find(DirectoryOffset, $"the mask of {name} in block {number} is {inBlock.Mask:x}, its codes have {mask:x}");
            }
            return;
        }
        if (inBlock.Raw.HasTextFilter)
        {
            TextFilterHolds(number, column, inBlock.Raw, values);
            return;
        }
        if (inBlock.Raw.HasRange)
        {
            RangeHolds(number, column, inBlock.Raw, values);
        }
        BloomHolds(number, column, values);
    }

    private void TextFilterHolds(int number, ValueColumn column, in RawIndex raw, ValueList values)
    {
        var filter = ReadOnlySpan<byte>.Empty;
        var offset = raw.TextFilter.Offset;
        using var chunk = raw.TextFilter.IsAbsent ? default(RentedChunk?) : _part.File.Read(raw.TextFilter);
        if (_part.File.Version >= PartFormat.StripesVersion)
        {
            var stripes = _part.Directory.Texts;
            if (stripes.IsEmpty)
            {
                Find(DirectoryOffset, $"block {number} has no text filter, and {PartChunks.NameOf(column)} has values in it");
                return;
            }
            offset = stripes.Of(number).Offset;
            filter = _texts.Get(_part.File, stripes, number);
        }
        else if (chunk is { } own)
        {
            filter = own.Content;
        }
        else
        {
            return;
        }
        var grams = new List<int>();
        for (var i = 0; i < values.Count; i++)
        {
            grams.Clear();
            TextFilter.AddHashes(values.GetContent(i), grams);
            if (filter.IsEmpty ? grams.Count > 0 : !TextFilter.MayContain(filter, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(grams)))
            {
                Find(offset, $"the text filter of block {number} does not know value {i} of {PartChunks.NameOf(column)}");
                return;
            }
        }
    }

    private void RangeHolds(int number, ValueColumn column, in RawIndex range, ValueList values)
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (values.GetType(i) != AttributeType.Int64 || values.GetBits(i) < range.Lowest || values.GetBits(i) > range.Highest)
            {
                Find(DirectoryOffset, $"value {i} of {PartChunks.NameOf(column)} in block {number} is not from {range.Lowest} to {range.Highest}");
                return;
            }
        }
    }

    private void BloomHolds(int number, ValueColumn column, ValueList values)
    {
        var directory = _part.Directory;
        var inStripes = _part.File.Version >= PartFormat.StripesVersion;
        if (inStripes ? directory.Blooms.IsEmpty : directory.BloomChunks[number].IsAbsent)
        {
            Find(DirectoryOffset, $"block {number} has no bloom, and {PartChunks.NameOf(column)} has values in it");
            return;
        }
        using var chunk = inStripes ? default(RentedChunk?) : _part.File.Read(directory.BloomChunks[number]);
        var bloom = chunk is { } own ? own.Content : _blooms.Get(_part.File, directory.Blooms, number);
        var columnHash = ValueHash.OfBytes(column.Key, (ulong)column.Scope);
        for (var i = 0; i < values.Count; i++)
        {
            if (bloom.IsEmpty || !Bloom.MayContain(bloom, ValueHash.InColumn(columnHash, ValueHash.Of(values.GetType(i), values.GetBits(i), values.GetContent(i)))))
            {
                Find(inStripes ? directory.Blooms.Of(number).Offset : directory.BloomChunks[number].Offset, $"the bloom of block {number} does not know value {i} of {PartChunks.NameOf(column)}");
                return;
            }
        }
    }

    /// <summary>The pages say exactly what the blocks do.</summary>
    private void TraceIndex()
    {
        if (_damagedChunks.Count > 0)
        {
            return; // what the damaged blocks hold is not known
        }
        _traces.Sort();
        var expected = _traces.Distinct().ToList();
        var next = 0;
        foreach (var page in _part.File.Footer.TracePages)
        {
            var entries = _part.ReadTracePage(page);
            if (entries.Count == 0 || entries.Id(0) != page.FirstId)
            {
                Find(page.Chunk.Offset, $"a page of {entries.Count} entries of the trace index does not begin with …{page.FirstId:x16}, as the footer says");
            }
            for (var i = 0; i < entries.Count; i++, next++)
            {
                var entry = (Id: entries.Id(i), Block: entries.Block(i));
                if (next >= expected.Count || entry != expected[next])
                {
                    Find(page.Chunk.Offset, next < expected.Count && expected[next].CompareTo(entry) < 0
                        ? $"the trace index lacks trace …{expected[next].Id:x16} of block {expected[next].Block}"
                        : $"the trace index has trace …{entry.Id:x16} in block {entry.Block}, where it is not");
                    return;
                }
            }
        }
        if (next < expected.Count)
        {
            Find(_part.File.FooterOffset, $"the trace index ends before trace …{expected[next].Id:x16} of block {expected[next].Block}");
        }
    }

    private long DirectoryOffset => _part.File.Footer.Directory.Offset;

    private void Find(long offset, string what)
    {
        if (HasRoom)
        {
            _findings.Add(new FileFinding(_file, offset, what));
        }
    }

    /// <summary>Runs a check; damage that stops it is a finding, once for a chunk.</summary>
    private void Try(Action check)
    {
        try
        {
            check();
        }
        catch (CorruptPartException damage)
        {
            if (_damagedChunks.Add(damage.Offset))
            {
                Find(damage.Offset, Reason(damage));
            }
        }
    }

    private static string Describe(in PartChunk chunk) => string.Create(CultureInfo.InvariantCulture,
        $"{chunk.Kind} of {chunk.Column}{(chunk.Block < 0 ? "" : $" in block {chunk.Block}")}");

    /// <summary>The message without the path and offset before it.</summary>
    private static string Reason(CorruptPartException damage) => damage.Message[(damage.Message.IndexOf(": ", damage.Path.Length, StringComparison.Ordinal) + 2)..];
}
