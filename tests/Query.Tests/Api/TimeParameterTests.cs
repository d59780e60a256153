using Apm.Query.Api;

namespace Apm.Query.Tests.Api;

public sealed class TimeParameterTests
{
    private const long Now = Batches.Origin;

    [Theory]
    [InlineData("2026-01-01T00:00:00Z", Batches.Origin)]
    [InlineData("2026-01-01T01:00:00+01:00", Batches.Origin)]
    [InlineData("2026-01-01", Batches.Origin)]
    [InlineData("2026-01-01T00:00", Batches.Origin)]
    [InlineData("2026-01-01T00:00:00.123456789Z", Batches.Origin + 123_456_789)]
    [InlineData("2026-01-01T00:00:00.5Z", Batches.Origin + 500_000_000)]
    [InlineData("1767225600", Batches.Origin)]
    [InlineData("1767225600.25", Batches.Origin + 250_000_000)]
    [InlineData("1767225600000", Batches.Origin)]
    [InlineData("1767225600000000", Batches.Origin)]
    [InlineData("1767225600000000001", Batches.Origin + 1)]
    [InlineData("0", 0)]
    [InlineData("now", Now)]
    [InlineData("NOW", Now)]
    [InlineData("now-30m", Now - 1_800_000_000_000)]
    [InlineData("now-1h30m", Now - 5_400_000_000_000)]
    [InlineData("now-1w", Now - 604_800_000_000_000)]
    [InlineData("now+1s", Now + 1_000_000_000)]
    public void Read_Time_GivesUnixNano(string text, long unixNano) => Assert.Equal(unixNano, TimeParameter.Read(text, "from", Now));

    [Theory]
    [InlineData("")]
    [InlineData("tomorrow")]
    [InlineData("nowish")]
    [InlineData("now-")]
    [InlineData("now-5")]
    [InlineData("now-99999w")]
    [InlineData("-5")]
    [InlineData("2026-13-01T00:00:00Z")]
    [InlineData("2026-01-01T00:00:00.Z")]
    [InlineData("0001-01-01T00:00:00Z")]
    [InlineData("9999-01-01T00:00:00Z")]
    [InlineData("10000000000000000000")]
    [InlineData("NaN")]
    public void Read_NoTime_NamesTheParameter(string text) => Assert.Equal("from", Assert.Throws<ParameterException>(() => TimeParameter.Read(text, "from", Now)).Parameter);

    [Fact]
    public void ReadRange_Absent_IsTheLastHour()
    {
        var range = TimeParameter.ReadRange(null, null, Now);
        Assert.Equal((Now - 3_600_000_000_000, Now), (range.StartUnixNano, range.EndUnixNano));
    }

    [Theory]
    [InlineData("now-1h", 60)]
    [InlineData("now-1m", 1)]
    [InlineData("now-1d", 1_800)]
    [InlineData("now-52w", 604_800)]
    public void NiceStep_Range_IsRound(string from, long seconds) => Assert.Equal(seconds * 1_000_000_000, Parameter.NiceStep(TimeParameter.ReadRange(from, null, Now)));
}
