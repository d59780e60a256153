using System.ComponentModel.DataAnnotations;
using Apm.ServiceDefaults.Settings;
using Microsoft.Extensions.Configuration;

namespace Apm.ServiceDefaults.Tests.Settings;

public sealed class SettingsCheckTests
{
    [Fact]
    public void Read_AllGood_BindsEveryType()
    {
        var check = Check(("Kitchen:Cooks", "3"), ("Kitchen:Open", "true"), ("Kitchen:Wait", "00:00:05"), ("Kitchen:Oven", "gas"), ("Kitchen:Dishes", "a, b"), ("Kitchen:Limit", "5000000000"));
        var options = check.Read<KitchenOptions>("Kitchen");
        check.ThrowIfWrong(["Kitchen:Cooks"]);
        Assert.Equal((3, true, TimeSpan.FromSeconds(5), Oven.Gas, 5_000_000_000L), (options.Cooks, options.Open, options.Wait, options.Oven, options.Limit));
        Assert.Equal(["a", "b"], options.Dishes);
    }

    [Theory]
    [InlineData("Kitchen:Cooks", "many", "Kitchen:Cooks: 'many' must be a whole number.")]
    [InlineData("Kitchen:Cooks", "99", "Kitchen:Cooks: '99' must be from 1 to 10.")]
    [InlineData("Kitchen:Open", "yes", "Kitchen:Open: 'yes' must be true or false.")]
    [InlineData("Kitchen:Wait", "soon", "Kitchen:Wait: 'soon' must be a time span such as 00:00:30.")]
    [InlineData("Kitchen:Oven", "coal", "Kitchen:Oven: 'coal' must be Gas or Electric.")]
    [InlineData("Kitchen:Oven", "7", "Kitchen:Oven: '7' must be Gas or Electric.")]
    [InlineData("Kitchen:Limit", "99999999999999999999", "Kitchen:Limit: '99999999999999999999' must be a whole number.")]
    [InlineData("Kitchen:Cocks", "3", "Kitchen:Cocks: there is no such setting; did you mean Kitchen:Cooks.")]
    [InlineData("Kitchen:Refrigerator", "3", "Kitchen:Refrigerator: there is no such setting; there are Cooks, Dishes, Limit, Open, Oven, Wait.")]
    [InlineData("Kitchen:Cooks:Chief", "3", "Kitchen:Cooks: has keys below it, must be a whole number.")]
    [InlineData("Kichen:Cooks", "3", "Kichen: there is no such section of settings; did you mean Kitchen.")]
    public void ThrowIfWrong_OneError_NamesKeyValueAndWhatIsRight(string key, string value, string error)
    {
        var check = Check((key, value));
        check.Read<KitchenOptions>("Kitchen");
        Assert.Equal([error], Assert.Throws<SettingsException>(() => check.ThrowIfWrong([key])).Errors);
    }

    [Fact]
    public void ThrowIfWrong_ManyErrors_NamesAllOfThem()
    {
        var check = Check(("Kitchen:Cooks", "x"), ("Kitchen:Open", "y"), ("Kitchen:Z", "1"));
        check.Read<KitchenOptions>("Kitchen");
        Assert.Equal(3, Assert.Throws<SettingsException>(() => check.ThrowIfWrong([])).Errors.Count);
    }

    [Fact]
    public void ThrowIfWrong_SectionOfSections_SuggestsItsNames()
    {
        var check = Check(("Receivers:OtlpGrcp:Port", "1"));
        check.Read<KitchenOptions>("Receivers:OtlpGrpc");
        Assert.Equal(["Receivers:OtlpGrcp: there is no such setting; did you mean Receivers:OtlpGrpc."], Assert.Throws<SettingsException>(() => check.ThrowIfWrong([])).Errors);
    }

    [Theory]
    [InlineData(null, false, null)]
    [InlineData("127.0.0.1", false, null)]
    [InlineData("::1", false, null)]
    [InlineData("localhost", false, null)]
    [InlineData("0.0.0.0", true, null)]
    [InlineData("0.0.0.0", false, "Security:AllowAnonymous=true")]
    [InlineData("*", false, "Security:AllowAnonymous=true")]
    [InlineData("example.org", true, "must be an IP address of this machine")]
    public void ListenRules_OpenAddress_NeedsAnExplicitWord(string? address, bool allowAnonymous, string? error)
    {
        var check = Check();
        ListenRules.Check(check, new ListenOptions { Address = address }, new SecurityOptions { AllowAnonymous = allowAnonymous });
        Assert.Equal(error is null ? 0 : 1, check.Errors.Count);
        Assert.All(check.Errors, line => Assert.Contains(error!, line, StringComparison.Ordinal));
    }

    private static SettingsCheck Check(params (string Key, string Value)[] settings) =>
        new(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value))).Build());

    private enum Oven
    {
        Gas,
        Electric,
    }

    private sealed class KitchenOptions
    {
        [Range(1, 10)]
        public int Cooks { get; init; } = 1;

        public bool Open { get; init; }

        public TimeSpan Wait { get; init; }

        public Oven Oven { get; init; }

        public string[] Dishes { get; init; } = [];

        public long? Limit { get; init; }
    }
}
