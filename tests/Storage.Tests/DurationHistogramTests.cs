namespace Apm.Storage.Tests;

public sealed class DurationHistogramTests
{
    [Fact]
    public void BucketOf_EveryBoundary_IsInItsOwnBucket()
    {
        for (var bucket = 0; bucket < 480; bucket++)
        {
            var low = DurationHistogram.LowerBoundNano(bucket);
            Assert.Equal(bucket, DurationHistogram.BucketOf(low));
            Assert.Equal(bucket, DurationHistogram.BucketOf(DurationHistogram.LowerBoundNano(bucket + 1) - 1));
        }
    }

    [Fact]
    public void QuantileNano_UniformDurations_IsWithinABucket()
    {
        var histogram = new DurationHistogram();
        for (var i = 1; i <= 100_000; i++)
        {
            histogram.Record(i * 1000L);
        }
        foreach (var quantile in new[] { 0.5, 0.9, 0.95, 0.99 })
        {
            var exact = quantile * 100_000_000;
            Assert.InRange(histogram.QuantileNano(quantile), exact * 0.94, exact * 1.06);
        }
        Assert.Equal(100_000_000, histogram.QuantileNano(1));
    }
}
