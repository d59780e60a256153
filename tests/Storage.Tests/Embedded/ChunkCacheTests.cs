using Apm.Storage.Embedded.Parts;
using Xunit;

namespace Apm.Storage.Tests.Embedded;

public class ChunkCacheTests
{
    private const long Small = 6 << 10;
    private const long Large = 128 << 10;

    private readonly ChunkCache _cache = new(4 * Large);
    private readonly int _part;

    public ChunkCacheTests() => _part = _cache.NextPartNumber();

    [Fact]
    public void Add_BeyondTheBound_GivesUpTheLeastRecentlyUsed()
    {
        AddMany(0, 4, Large);
        Assert.True(Has(0));
        AddMany(4, 1, Large);
        Assert.True(Has(0));
        Assert.False(Has(1));
        Assert.Equal(4 * Large, _cache.Bytes);
    }

    [Fact]
    public void Add_ThousandsOfSmallOnes_LeavesTheLargeTheirHalf()
    {
        AddMany(0, 2, Large);
        AddMany(2, 1_000, Small);
        Assert.True(Has(0) && Has(1));
        Assert.InRange(_cache.Bytes, 4 * Large - Small, 4 * Large);
    }

    [Fact]
    public void Add_ManyLargeOnes_LeavesTheSmallTheirHalf()
    {
        var smalls = (int)(2 * Large / Small);
        AddMany(0, smalls, Small);
        AddMany(smalls, 20, Large);
        Assert.All(Enumerable.Range(0, smalls), offset => Assert.True(Has(offset)));
        Assert.True(Has(smalls + 19));
    }

    [Fact]
    public void Add_ALargeOneOfMoreThanHalf_IsKept()
    {
        AddMany(0, 40, Small);
        AddMany(40, 1, 3 * Large);
        Assert.True(Has(40));
        AddMany(41, 100, Small);
        Assert.True(Has(40));
    }

    [Fact]
    public void RemovePart_ForgetsItsSmallAndLargeOnes()
    {
        AddMany(0, 1, Large);
        AddMany(1, 1, Small);
        var other = _cache.NextPartNumber();
        _cache.Add(other, 0, "other", Small);
        _cache.RemovePart(_part);
        Assert.False(Has(0) || Has(1));
        Assert.True(_cache.TryGet<string>(other, 0, out _));
        Assert.Equal(Small, _cache.Bytes);
    }

    private void AddMany(int first, int count, long bytes)
    {
        for (var offset = first; offset < first + count; offset++)
        {
            _cache.Add(_part, offset, "entry", bytes);
        }
    }

    private bool Has(int offset) => _cache.TryGet<string>(_part, offset, out _);
}
