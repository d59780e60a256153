using System.Text;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Tests.Search;

public sealed class AsciiSearchTests
{
    [Fact]
    public void IndexIn_RandomTexts_FindsWhatStringsFind()
    {
        var random = new Random(1);
        for (var round = 0; round < 3_000; round++)
        {
            // Few characters, so that halves of matches are common; among them those that share bits with letters, and some that UTF-8 needs more bytes for.
            const string alphabet = "aAbB@`[{1!ſéKß";
            var text = Text(random, alphabet, random.Next(120));
            var needle = Text(random, alphabet[..10], random.Next(1, 5));
            var utf8 = Encoding.UTF8.GetBytes(text);
            var found = new AsciiSearch(needle).IndexIn(utf8);
            var expected = text.IndexOf(needle, StringComparison.OrdinalIgnoreCase);
            Assert.Equal(expected < 0 ? -1 : Encoding.UTF8.GetByteCount(text[..expected]), found);
        }
    }

    [Fact]
    public void TrySearch_StringsOneAfterAnother_FindsThoseThatContainTheText()
    {
        var random = new Random(2);
        for (var round = 0; round < 1_000; round++)
        {
            var strings = Enumerable.Range(0, random.Next(1, 90)).Select(_ => Text(random, "abAB", random.Next(6))).ToArray();
            var predicate = ValuePredicate.Of(new ContainsFilter(Field.Of(Intrinsic.Name), Text(random, "ab", random.Next(1, 4))));
            var ends = new int[strings.Length];
            for (int i = 0, end = 0; i < ends.Length; i++)
            {
                ends[i] = end += strings[i].Length;
            }
            var found = new ulong[RowMask.WordCount(strings.Length)];
            Assert.True(predicate.TrySearch(Encoding.ASCII.GetBytes(string.Concat(strings)), ends, found));
            Assert.All(strings.Index(), item =>
                Assert.Equal(predicate.Matches(AttributeType.String, 0, Encoding.ASCII.GetBytes(item.Item)), RowMask.Contains(found, item.Index)));
        }
    }

    private static string Text(Random random, string alphabet, int length) =>
        string.Create(length, (random, alphabet), static (text, from) => from.random.GetItems(from.alphabet, text));
}
