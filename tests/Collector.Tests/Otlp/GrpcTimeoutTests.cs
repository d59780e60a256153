using Apm.Collector.Otlp;

namespace Apm.Collector.Tests.Otlp;

public sealed class GrpcTimeoutTests
{
    [Theory]
    [InlineData("1H", 36_000_000_000L)]
    [InlineData("99999999H", 3_599_999_964_000_000_000L)]
    [InlineData("2M", 1_200_000_000L)]
    [InlineData("10S", 100_000_000L)]
    [InlineData("5m", 50_000L)]
    [InlineData("7u", 70L)]
    [InlineData("100n", 1L)]
    [InlineData("1n", 1L)]
    [InlineData("0S", 0L)]
    public void TryParse_Valid_GivesTicks(string text, long ticks)
    {
        Assert.True(GrpcTimeout.TryParse(text, out var timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("1s")]
    [InlineData(" 1S")]
    [InlineData("+1S")]
    [InlineData("123456789S")]
    public void TryParse_Invalid_IsFalse(string text) => Assert.False(GrpcTimeout.TryParse(text, out _));
}
