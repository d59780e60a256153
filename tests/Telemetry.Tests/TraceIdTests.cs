using Apm.Telemetry;

namespace Apm.Telemetry.Tests;

public sealed class TraceIdTests
{
    [Theory]
    [InlineData("7c1e4f0a9b2d4e6f83a1c05d7be94210", "7c1e4f0a9b2d4e6f83a1c05d7be94210")]
    [InlineData("7C1E4F0A9B2D4E6F83A1C05D7BE94210", "7c1e4f0a9b2d4e6f83a1c05d7be94210")]
    [InlineData("83a1c05d7be94210", "000000000000000083a1c05d7be94210")]
    [InlineData("1", "00000000000000000000000000000001")]
    public void TryParse_HexOfEitherCaseAndLength_RoundTrips(string text, string expected)
    {
        Assert.True(TraceId.TryParse(text, out var id));
        Assert.Equal(expected, id.ToString());
        var bytes = new byte[TraceId.SizeBytes];
        id.Write(bytes);
        Assert.True(TraceId.TryRead(bytes, out var read));
        Assert.Equal(id, read);
        Assert.Equal(expected, Convert.ToHexStringLower(bytes));
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("xyz")]
    [InlineData(" 1")]
    [InlineData("7c1e4f0a9b2d4e6f83a1c05d7be942100")]
    public void TryParse_NotAnId_IsFalse(string? text) => Assert.False(TraceId.TryParse(text, out _));
}
