using Apm.Telemetry.Filters;

namespace Apm.Telemetry.Tests.Filters;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("1h30m", 5_400_000_000_000)]
    [InlineData("1.5s", 1_500_000_000)]
    [InlineData("100ms", 100_000_000)]
    [InlineData("10us", 10_000)]
    [InlineData("10µs", 10_000)]
    [InlineData("7ns", 7)]
    [InlineData("-2s", -2_000_000_000)]
    [InlineData("1d", 86_400_000_000_000)]
    [InlineData("9223372036854775807ns", long.MaxValue)]
    public void TryParse_Duration_GivesNanoseconds(string text, long nano)
    {
        Assert.True(DurationText.TryParse(text, out var parsed));
        Assert.Equal(nano, parsed);
        Assert.True(DurationText.TryParse(DurationText.Format(nano), out var again));
        Assert.Equal(nano, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("1.2.3s")]
    [InlineData("1y")]
    [InlineData("1s2")]
    [InlineData("300y")]
    [InlineData("9223372036854775808ns")]
    [InlineData("99999999999999999999999999999999h")]
    public void TryParse_NoDuration_IsFalse(string text) => Assert.False(DurationText.TryParse(text, out _));
}
