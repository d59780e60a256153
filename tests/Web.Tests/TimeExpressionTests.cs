namespace Apm.Web.Tests;

public sealed class TimeExpressionTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 20, 3, 18, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("now", "2026-11-20T03:18:00.000Z")]
    [InlineData("now-30m", "2026-11-20T02:48:00.000Z")]
    [InlineData("now-2w", "2026-11-06T03:18:00.000Z")]
    [InlineData("2026-11-20T02:00:00+01:00", "2026-11-20T01:00:00.000Z")]
    [InlineData("1795144680", "2026-11-20T03:18:00.000Z")]
    [InlineData("1795144680123", "2026-11-20T03:18:00.123Z")]
    [InlineData("1795144680123456789", "2026-11-20T03:18:00.123Z")]
    public void TryParse_OfWhatTheApiReads_IsThatInstant(string text, string expected)
    {
        Assert.True(TimeExpression.TryParse(text, Now, out var unixNano));
        Assert.Equal(expected, TimeExpression.ToText(unixNano));
    }

    [Theory]
    [InlineData("")]
    [InlineData("yesterday-ish")]
    [InlineData("now-")]
    [InlineData("now-5")]
    [InlineData("now-5y")]
    [InlineData("now-9999999w")]
    [InlineData("99999999999999999999")]
    [InlineData("-5")]
    public void TryParse_OfAnythingElse_IsFalse(string text) => Assert.False(TimeExpression.TryParse(text, Now, out _));
}
