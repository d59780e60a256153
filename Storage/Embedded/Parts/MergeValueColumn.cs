using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// A value column of a merged part. When every input that has it has a dictionary, and the joined one is worth it, codes are mapped by look-up; else its values
/// are copied as bytes, without being told apart.
/// </summary>
internal sealed class MergeValueColumn : ContentColumn
{
    private readonly MergeInput[] _inputs;
    private readonly MergePlan _plan;
    private readonly MergeEntries _entries;
    private readonly List<(int Block, int Entries)> _blocks;
    private readonly ValueColumn?[] _sources;
    /// <summary>Per input: its dictionary, when values are copied.</summary>
    private readonly ValueList?[] _values;
    /// <summary>Per input: the joined code of each of its codes.</summary>
    private readonly int[]?[] _maps;
    private readonly MergeDictionary? _dictionary;
    private MergeWindow<int>? _codes;
    private MergeWindow<MergeRawBlock>? _raw;

    /// <param name="blocks">Blocks of the output that have entries, ascending.</param>
    public MergeValueColumn(ValueScope scope, byte[] key, MergeInput[] inputs, MergePlan plan, MergeEntries entries, List<(int Block, int Entries)> blocks)
        : base(scope, key)
    {
        _inputs = inputs;
        _plan = plan;
        _entries = entries;
        _blocks = blocks;
        foreach (var block in blocks)
        {
            Entries += block.Entries;
        }
        _sources = [.. inputs.Select(input => Find(input, scope, key))];
        _values = new ValueList?[inputs.Length];
        _maps = new int[]?[inputs.Length];
        _dictionary = JoinDictionaries();
        if (_dictionary is not null && plan.DuplicateRows + plan.RejectedRows > 0)
        {
            DropUnused(_dictionary);
        }
    }

    /// <summary>Set before the first block is written.</summary>
    public MergeWholeBlocks? WholeBlocks { get; set; }

    public override long Entries { get; }

    public override int Distinct => _dictionary?.Count ?? 0;

    public override bool IsDictionary => _dictionary is not null;

    public override int BlockCount => _blocks.Count;

    public override int BlockNumber(int index) => _blocks[index].Block;

    public override int BlockEntries(int index) => _blocks[index].Entries;

    public override void ReadCodes(int index, Span<int> codes)
    {
        var window = _codes ??= new MergeWindow<int>(_inputs.Length, LoadCodes);
        var at = 0;
        foreach (var segment in _plan.SegmentsOf(BlockNumber(index)))
        {
            var (first, count) = _entries.Of(segment);
            if (count > 0)
            {
                Slice(window.Get(segment.Input, segment.Block), segment, first, count).CopyTo(codes[at..]);
                at += count;
            }
        }
        if (index == BlockCount - 1)
        {
            _codes = null;
        }
    }

    public override void ReadValues(int index, ValueListWriter values)
    {
        foreach (var segment in _plan.SegmentsOf(BlockNumber(index)))
        {
            var (first, count) = _entries.Of(segment);
            if (count == 0)
            {
                continue;
            }
            if (_values[segment.Input] is { } dictionary)
            {
                _codes ??= new MergeWindow<int>(_inputs.Length, LoadCodes);
                foreach (var code in Slice(_codes.Get(segment.Input, segment.Block), segment, first, count))
                {
                    var type = dictionary.GetType(code);
                    if (type.HasContent())
                    {
                        values.AddContent(type, dictionary.GetContent(code));
                    }
                    else
                    {
                        values.AddBits(type, dictionary.GetBits(code));
                    }
                }
                continue;
            }
            _raw ??= new MergeWindow<MergeRawBlock>(_inputs.Length, LoadRaw);
            if (first + count > InBlock(segment.Input, segment.Block).Entries)
            {
                throw TooFew(segment.Input, segment.Block);
            }
            _raw.Get(segment.Input, segment.Block)[0].WriteTo(values, first, count);
        }
        if (index == BlockCount - 1)
        {
            (_codes, _raw) = (null, null);
        }
    }

    public override bool TryGetStored(int index, out StoredChunk chunk, out RawIndex rawIndex)
    {
        (chunk, rawIndex) = (default, default);
        if (WholeBlocks is null || !WholeBlocks.TryGetWithText(BlockNumber(index), out var whole))
        {
            return false;
        }
        var inBlock = InBlock(whole.Input, whole.Block);
        if (inBlock.Entries != BlockEntries(index))
        {
            throw TooFew(whole.Input, whole.Block);
        }
        chunk = new StoredChunk(_inputs[whole.Input].Source.File, inBlock.Chunk, 0);
        rawIndex = inBlock.Raw;
        return true;
    }

    /// <summary>The input's column; null when it has no values.</summary>
    public ValueColumn? SourceOf(int input) => _sources[input];

    public override void ReadDictionary(ValueListWriter values) => _dictionary!.WriteTo(values);

    private static ValueColumn? Find(MergeInput input, ValueScope scope, byte[] key)
    {
        foreach (var column in input.Directory.Columns)
        {
            if (column.Scope == scope && column.BlockCount > 0 && column.Key.AsSpan().SequenceEqual(key))
            {
                return column;
            }
        }
        return null;
    }

    /// <summary>Null when values are to be copied.</summary>
    private MergeDictionary? JoinDictionaries()
    {
        var lists = new ValueList?[_inputs.Length];
        MergeDictionary? joined = new();
        for (var input = 0; input < _inputs.Length; input++)
        {
            if (_sources[input] is { } source)
            {
                lists[input] = source.IsDictionary ? ReadDictionary(_inputs[input], source) : null;
                joined = source.IsDictionary && joined?.ContentBytes <= PartFormat.MaxDictionaryBytes ? joined : null;
                _maps[input] = joined?.Join(lists[input]!);
            }
        }
        if (joined is not null && HasDictionary(joined.Count, Entries, joined.ContentBytes))
        {
            return joined;
        }
        Array.Clear(_maps);
        lists.CopyTo(_values, 0);
        return null;
    }

    private static ValueList ReadDictionary(MergeInput input, ValueColumn column)
    {
        using var chunk = input.Read(column.Dictionary, 0);
        var reader = chunk.Reader();
        var values = ValueList.Decode(ref reader, column.Distinct);
        reader.ExpectEnd();
        return values;
    }

    /// <summary>When rows are left out, values that only they had must go too.</summary>
    private void DropUnused(MergeDictionary dictionary)
    {
        var used = new bool[dictionary.Count];
        int[] scratch = [];
        for (var index = 0; index < BlockCount; index++)
        {
            var codes = MergeInput.Room(ref scratch, BlockEntries(index));
            ReadCodes(index, codes);
            foreach (var code in codes)
            {
                used[code] = true;
            }
        }
        if (!used.Contains(false))
        {
            return;
        }
        var map = dictionary.Keep(used);
        foreach (var codes in _maps)
        {
            foreach (ref var code in codes.AsSpan())
            {
                code = map[code];
            }
        }
    }

    private int LoadCodes(int input, int block, ref int[] values)
    {
        var inBlock = InBlock(input, block);
        var distinct = _sources[input]!.Distinct;
        var codes = MergeInput.Room(ref values, inBlock.Entries);
        _inputs[input].ReadInts(inBlock.Chunk, codes);
        var map = _maps[input];
        foreach (ref var code in codes)
        {
            if ((uint)code >= (uint)distinct)
            {
                throw _inputs[input].Corrupt(inBlock.Chunk, $"code {code} is beyond a dictionary of {distinct}");
            }
            code = map is null ? code : map[code];
        }
        return codes.Length;
    }

    private int LoadRaw(int input, int block, ref MergeRawBlock[] values)
    {
        values = values.Length > 0 ? values : [new MergeRawBlock()];
        var inBlock = InBlock(input, block);
        using var chunk = _inputs[input].Read(inBlock.Chunk, block);
        var reader = chunk.Reader();
        values[0].Decode(ref reader, inBlock.Entries);
        return 1;
    }

    private ValueColumnBlock InBlock(int input, int block) => _sources[input]?.InBlock(block) ?? throw TooFew(input, block);

    private ReadOnlySpan<int> Slice(ReadOnlySpan<int> codes, in MergeSegment segment, int first, int count) =>
        first + count <= codes.Length ? codes.Slice(first, count) : throw TooFew(segment.Input, segment.Block);

    private CorruptPartException TooFew(int input, int block) => _inputs[input].Corrupt(
        _inputs[input].Directory.Plain(PlainColumn.RecordShape, block), $"'{System.Text.Encoding.UTF8.GetString(Key)}' has fewer values in block {block} than its rows ask for");
}
