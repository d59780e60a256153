using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>Whether a predicate can hold on a column, by the indexes of the source. What they say of a source is asked once. Used by one thread.</summary>
internal sealed class ColumnPruning(Field field, ValuePredicate predicate, Verdicts verdicts)
{
    private readonly Dictionary<RowSource, Answers> _answers = new(ReferenceEqualityComparer.Instance);
    private RowSource? _source;
    private Answers? _current;

    /// <summary>What is known of one source.</summary>
    private sealed class Answers
    {
        public ColumnIndex? Index { get; init; }

        /// <summary>Asked when the first block is looked at: judging a dictionary may be in vain.</summary>
        public CodeSet? Codes { get; set; }

        public bool HasFilters { get; set; }

        /// <summary>Bits of the blocks with a required value; null: each is to be asked.</summary>
        public ulong[]? Equal { get; set; }

        /// <summary>Bits of the blocks with the required text; null: each is to be asked.</summary>
        public ulong[]? Texts { get; set; }
    }

    public bool MayMatch(RowSource source)
    {
        var answers = Of(source);
        if (!source.AnswersAtOnce || answers.Index is not { Values: null })
        {
            return true;
        }
        AskFilters(answers, source);
        for (var word = 0; word < (source.BlockCount + 63) / 64; word++)
        {
            if (((answers.Equal?[word] ?? ulong.MaxValue) & (answers.Texts?[word] ?? ulong.MaxValue)) != 0)
            {
                return true;
            }
        }
        return false;
    }

    public bool MayMatch(RowSource source, int block)
    {
        var answers = Of(source);
        if (answers.Index is not { } index)
        {
            return MayEqual(answers, source, block);
        }
        var mask = index.CodeMask(block);
        if (mask == 0)
        {
            return false;
        }
        if (answers.Codes is null && index.Values is { } values)
        {
            answers.Codes = verdicts.SetOf(values);
        }
        return answers.Codes is { } codes ? (mask & codes.Mask) != 0
            : MayBeInRange(index, block) && MayEqual(answers, source, block) && MayContain(answers, source, block);
    }

    /// <summary>Which index says no; asked when <see cref="MayMatch(RowSource, int)"/> or <see cref="MayMatch(RowSource)"/> is false.</summary>
    public string SkippedBy(RowSource source, int block)
    {
        var answers = Of(source);
        return answers.Index is not { } index ? "filter"
            : index.CodeMask(block) == 0 ? "presence"
            : answers.Codes is not null ? "codes"
            : !MayBeInRange(index, block) ? "range"
            : MayEqual(answers, source, block) ? "text" : "bloom";
    }

    private static bool IsSet(ulong[] blocks, int block) => ((blocks[block >> 6] >> (block & 63)) & 1) != 0;

    private Answers Of(RowSource source)
    {
        if (source != _source)
        {
            if (!_answers.TryGetValue(source, out var answers))
            {
                answers = new Answers { Index = source.IndexOf(field) };
                _answers.Add(source, answers);
            }
            (_source, _current) = (source, answers);
        }
        return _current!;
    }

    private void AskFilters(Answers answers, RowSource source)
    {
        if (answers.HasFilters)
        {
            return;
        }
        answers.Equal = predicate.RequiredValues.Count > 0 ? source.BlocksMayEqual(field, predicate.RequiredValues) : null;
        answers.Texts = !predicate.RequiredGrams.IsEmpty ? answers.Index?.BlocksMayContain(predicate.RequiredGrams) : null;
        answers.HasFilters = true;
    }

    private bool MayBeInRange(ColumnIndex index, int block)
    {
        if (predicate.Integers is not { } wanted || index.Range(block) is not { } stored)
        {
            return true;
        }
        return wanted.Inverted ? stored.Lowest < wanted.Low || stored.Highest > wanted.High : stored.Lowest <= wanted.High && stored.Highest >= wanted.Low && wanted.Low <= wanted.High;
    }

    private bool MayContain(Answers answers, RowSource source, int block)
    {
        AskFilters(answers, source);
        return answers.Texts is { } texts ? IsSet(texts, block) : predicate.RequiredGrams.IsEmpty || answers.Index!.MayContain(block, predicate.RequiredGrams);
    }

    private bool MayEqual(Answers answers, RowSource source, int block)
    {
        AskFilters(answers, source);
        if (answers.Equal is { } equal)
        {
            return IsSet(equal, block);
        }
        foreach (var value in predicate.RequiredValues)
        {
            if (source.MayEqual(block, field, value))
            {
                return true;
            }
        }
        return predicate.RequiredValues.Count == 0;
    }
}
