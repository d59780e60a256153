using Apm.ServiceDefaults.Settings;

namespace Apm.Standalone.Tests;

public sealed class ArgumentsTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("--data /tmp/x", "Data:Directory=/tmp/x")]
    [InlineData("--data=/tmp/x", "Data:Directory=/tmp/x")]
    [InlineData("--demo --Listen:Port 1 --Listen:Address=::1", "Demo:Enabled=true Listen:Port=1 Listen:Address=::1")]
    [InlineData("--Listen:Port 1 --listen:port 2", "listen:port=2")]
    public void Parse_Right_GivesSettings(string line, string settings)
    {
        var arguments = Arguments.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Null(arguments.Answer);
        Assert.Equal(settings, string.Join(' ', arguments.Settings.Select(setting => $"{setting.Key}={setting.Value}")));
    }

    [Theory]
    [InlineData("--dat x", "unknown argument '--dat'|unknown argument 'x'")]
    [InlineData("start", "unknown argument 'start'")]
    [InlineData("--data", "--data needs a value: --data DIR.")]
    [InlineData("--data --demo", "--data needs a value: --data DIR.")]
    [InlineData("--Listen:Port", "--Listen:Port needs a value: --Listen:Port VALUE.")]
    public void Parse_Wrong_NamesEachArgument(string line, string errors)
    {
        var thrown = Assert.Throws<SettingsException>(() => Arguments.Parse(line.Split(' ')));
        Assert.Equal(errors.Split('|').Length, thrown.Errors.Count);
        Assert.All(errors.Split('|').Zip(thrown.Errors), pair => Assert.StartsWith(pair.First, pair.Second, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--help", "--data DIR")]
    [InlineData("--version", "Apm 0.1.0")]
    public void Parse_Question_IsAnswered(string argument, string answer) => Assert.Contains(answer, Arguments.Parse([argument, "--data"]).Answer, StringComparison.Ordinal);
}
