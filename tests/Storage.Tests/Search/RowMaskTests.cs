using Apm.Storage.Embedded.Search;

namespace Apm.Storage.Tests.Search;

public sealed class RowMaskTests
{
    private readonly Random _random = new(1);

    public static TheoryData<int> Rows => [1, 7, 63, 64, 65, 130, 8_192];

    [Theory]
    [MemberData(nameof(Rows))]
    public void CodeSet_AnySize_FindsItsMembers(int rows)
    {
        foreach (var numbers in new[] { 1, 3, 9, 40, 300 })
        {
            foreach (var share in new[] { 0, 1, 2, 10 })
            {
                var contains = Enumerable.Range(0, numbers).Select(_ => share > 0 && _random.Next(share) == 0).ToArray();
                var codes = Enumerable.Range(0, rows).Select(_ => _random.Next(numbers)).ToArray();
                var mask = Garbage(rows);
                var set = CodeSet.Of(contains);
                set.Find(codes, mask);
                Assert.Equal(Bits(rows, row => contains[codes[row]]), mask);
                Assert.All(Enumerable.Range(0, numbers), number => Assert.True(!contains[number] || (set.Mask >> (number & 63) & 1) == 1));
                Assert.Equal(!contains.Contains(true), set.IsEmpty);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Spread_AnyPresence_GivesEachRowItsBit(int rows)
    {
        foreach (var share in new[] { 1, 2, 20 })
        {
            var present = Enumerable.Range(0, rows).Select(_ => _random.Next(share) == 0).ToArray();
            var dense = Enumerable.Range(0, present.Count(row => row)).Select(_ => _random.Next(2) == 0).ToArray();
            var next = 0;
            var expected = present.Select(row => row && dense[next++]).ToArray();
            var mask = Garbage(rows);
            RowMask.Spread(Bits(dense.Length, i => dense[i]), Bits(rows, row => present[row]), mask);
            Assert.Equal(Bits(rows, row => expected[row]), mask);
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void AtLeast_AnyBytes_FindsThoseNotBelow(int rows)
    {
        var values = Enumerable.Range(0, rows).Select(_ => (byte)_random.Next(256)).ToArray();
        foreach (var low in new byte[] { 0, 1, 127, 128, 255 })
        {
            var mask = Garbage(rows);
            RowMask.AtLeast(values, low, mask);
            Assert.Equal(Bits(rows, row => values[row] >= low), mask);
        }
    }

    private static ulong[] Bits(int rows, Func<int, bool> isSet)
    {
        var mask = new ulong[RowMask.WordCount(rows)];
        for (var row = 0; row < rows; row++)
        {
            if (isSet(row))
            {
                RowMask.Add(mask, row);
            }
        }
        return mask;
    }

    private static ulong[] Garbage(int rows)
    {
        var mask = new ulong[RowMask.WordCount(rows)];
        Array.Fill(mask, 0xA5A5_A5A5_A5A5_A5A5);
        return mask;
    }
}
