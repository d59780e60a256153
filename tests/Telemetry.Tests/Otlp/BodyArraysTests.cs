using System.Runtime.CompilerServices;
using Apm.Telemetry.Otlp;

namespace Apm.Telemetry.Tests.Otlp;

public sealed class BodyArraysTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(BodyArrays.PooledBytes)]
    [InlineData(BodyArrays.PooledBytes + 1)]
    [InlineData(20 << 20)]
    public void Rent_AnySize_IsLongEnoughAndWastesLessThanHalf(int bytes)
    {
        var array = BodyArrays.Rent(bytes);
        Assert.InRange(array.Length, bytes, Math.Max(16, 2 * bytes));
        BodyArrays.Return(array);
    }

    [Fact]
    public void Return_ManyLargeArrays_NoneOutlivesACollection()
    {
        var returned = RentAndReturn(40, 20 << 20);
        // A collection in the background may be on its way, which keeps what it has marked already.
        for (var i = 0; i < 3 && returned.Exists(array => array.TryGetTarget(out _)); i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true);
        }
        Assert.DoesNotContain(returned, array => array.TryGetTarget(out _));
    }

    [Fact]
    public void Rent_ALargeArrayInUse_IsNotGivenTwice()
    {
        var first = BodyArrays.Rent(3 << 20);
        var second = BodyArrays.Rent(3 << 20);
        Assert.NotSame(first, second);
        BodyArrays.Return(first);
        BodyArrays.Return(second);
        var third = BodyArrays.Rent(3 << 20);
        var fourth = BodyArrays.Rent(3 << 20);
        Assert.NotSame(third, fourth);
        BodyArrays.Return(third);
        BodyArrays.Return(fourth);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<WeakReference<byte[]>> RentAndReturn(int count, int bytes)
    {
        var arrays = Enumerable.Range(0, count).Select(_ => BodyArrays.Rent(bytes)).ToList();
        arrays.ForEach(BodyArrays.Return);
        return [.. arrays.Select(array => new WeakReference<byte[]>(array))];
    }
}
