using Apm.Storage.Embedded.Retention;
using Microsoft.Extensions.Configuration;

namespace Apm.Storage.Tests.Retention;

public sealed class RetentionOptionsTests
{
    [Fact]
    public void Read_Nothing_KeepsAWeekWithoutABudget()
    {
        var options = Read([], out var errors);
        Assert.Empty(errors);
        Assert.Equal((TimeSpan.FromDays(7), TimeSpan.FromDays(7), null), (options.Spans.Default, options.Logs.Longest, options.DiskBudgetBytes));
    }

    [Fact]
    public void Read_Services_HaveTheirOwnAndTheRestTheDefault()
    {
        var options = Read([("Spans:Default", "36h"), ("Spans:Services:payments", "30d"), ("Spans:Services:a:b", "90m"), ("Logs:Default", "Forever")], out var errors);
        Assert.Empty(errors);
        Assert.Equal(TimeSpan.FromHours(36), options.Spans.Of("cart"));
        Assert.Equal(TimeSpan.FromDays(30), options.Spans.Of("Payments"));
        Assert.Equal(TimeSpan.FromMinutes(90), options.Spans.Of("a:b"));
        Assert.Equal((TimeSpan.FromDays(30), TimeSpan.FromMinutes(90)), (options.Spans.Longest, options.Spans.Shortest));
        Assert.Null(options.Logs.Of("cart"));
        Assert.Null(options.Logs.Longest);
    }

    [Theory]
    [InlineData("50GB", 50_000_000_000)]
    [InlineData("1.5 GiB", 1_610_612_736)]
    [InlineData("100mb", 100_000_000)]
    public void Read_DiskBudget_IsASize(string text, long bytes)
    {
        Assert.Equal(bytes, Read([("DiskBudget", text)], out var errors).DiskBudgetBytes);
        Assert.Empty(errors);
    }

    [Theory]
    [InlineData("Spans:Default", "7")]
    [InlineData("Spans:Default", "0")]
    [InlineData("Spans:Default", "0d")]
    [InlineData("Spans:Default", "-1d")]
    [InlineData("Spans:Default", "40000d")]
    [InlineData("Spans:Default", "99999999999999999999d")]
    [InlineData("Logs:Services:cart", "")]
    [InlineData("Logs:Services:cart", "d")]
    [InlineData("Logs", "7d")]
    [InlineData("DiskBudget", "50")]
    [InlineData("DiskBudget", "GB")]
    [InlineData("DiskBudget", "99MB")]
    [InlineData("DiskBudget", "9999999TB")]
    public void Read_Wrong_NamesKeyValueAndWhatWouldBeRight(string key, string value)
    {
        Read([(key, value)], out var errors);
        Assert.StartsWith($"Retention:{key}: '{value}' must be ", Assert.Single(errors), StringComparison.Ordinal);
    }

    private static RetentionOptions Read((string Key, string Value)[] settings, out List<string> errors)
    {
        errors = [];
        return RetentionOptions.Read(
            new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create<string, string?>("Retention:" + setting.Key, setting.Value))).Build(), errors.Add);
    }
}
