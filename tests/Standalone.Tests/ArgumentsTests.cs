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
    [InlineData("inspect", "inspect takes one directory, not 0; use: inspect DIR [--part ID] [--json]")]
    [InlineData("inspect a b", "inspect takes one directory, not 2;")]
    [InlineData("inspect a --part", "--part needs a value")]
    [InlineData("verify a --part 1", "unknown argument '--part'; use: verify DIR [--json]|verify takes one directory, not 2")]
    [InlineData("backup a --force", "unknown argument '--force'; use: backup DIR TO|backup takes two directories, not 1")]
    [InlineData("restore a b --json", "unknown argument '--json'; use: restore FROM DIR [--force]")]
    [InlineData("Inspect a", "unknown argument 'Inspect'|unknown argument 'a'")]
    public void Parse_Wrong_NamesEachArgument(string line, string errors)
    {
        var thrown = Assert.Throws<SettingsException>(() => Arguments.Parse(line.Split(' ')));
        Assert.Equal(errors.Split('|').Length, thrown.Errors.Count);
        Assert.All(errors.Split('|').Zip(thrown.Errors), pair => Assert.StartsWith(pair.First, pair.Second, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("inspect a", "Inspect a")]
    [InlineData("inspect a --part 1f --json", "Inspect a part=1f json")]
    [InlineData("verify --json a", "Verify a json")]
    [InlineData("backup a b", "Backup a b")]
    [InlineData("restore a b --force", "Restore a b force")]
    public void Parse_Command_IsATool(string line, string tool)
    {
        var parsed = Arguments.Parse(line.Split(' ')).Tool!;
        var text = $"{parsed.Tool} {string.Join(' ', parsed.Operands)}{(parsed.PartId is { } part ? " part=" + part : "")}{(parsed.Json ? " json" : "")}{(parsed.Force ? " force" : "")}";
        Assert.Equal(tool, text);
    }

    [Theory]
    [InlineData("--help", "--data DIR")]
    [InlineData("--help", "backup DIR TO")]
    [InlineData("--version", "Apm 0.1.0")]
    public void Parse_Question_IsAnswered(string argument, string answer) => Assert.Contains(answer, Arguments.Parse([argument, "--data"]).Answer, StringComparison.Ordinal);
}
