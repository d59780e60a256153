using Apm.Telemetry.Filters;

namespace Apm.Telemetry.Tests.Filters;

public sealed class FilterCompletionTests
{
    [Theory]
    // '|' marks the caret; '[' and ']' would be ambiguous with nothing in these texts, so they mark the replaced range.
    [InlineData("|", FilterExpectation.Field, "", null)]
    [InlineData("[na|]", FilterExpectation.Field, "na", null)]
    [InlineData("[res|ource.x]", FilterExpectation.Field, "res", null)]
    [InlineData("{ [resource.ser|] = x }", FilterExpectation.Field, "resource.ser", null)]
    [InlineData("name |", FilterExpectation.Operator, "", "name")]
    [InlineData("name [con|]", FilterExpectation.Operator, "con", "name")]
    [InlineData("name = |", FilterExpectation.Value, "", "name")]
    [InlineData("name =|", FilterExpectation.Value, "", "name")]
    [InlineData("resource.service.name = [pay|]", FilterExpectation.Value, "pay", "resource.service.name")]
    [InlineData("resource.service.name = [\"pay|]", FilterExpectation.Value, "pay", "resource.service.name")]
    [InlineData("resource.service.name = [\"pay|ments\"] && x", FilterExpectation.Value, "pay", "resource.service.name")]
    [InlineData("name = \"x\"|", FilterExpectation.Conjunction, "", null)]
    [InlineData("name = x |", FilterExpectation.Conjunction, "", null)]
    [InlineData("name = x [a|]", FilterExpectation.Conjunction, "a", null)]
    [InlineData("name = x && |", FilterExpectation.Field, "", null)]
    [InlineData("name = x and (|", FilterExpectation.Field, "", null)]
    [InlineData("(name = x) |", FilterExpectation.Conjunction, "", null)]
    [InlineData("!|", FilterExpectation.Field, "", null)]
    [InlineData("nonsense = |", FilterExpectation.Value, "", null)]
    [InlineData("span.\"my key\" = |", FilterExpectation.Value, "", "span.\"my key\"")]
    [InlineData("name = x | duration", FilterExpectation.Conjunction, "", null)]
    public void At_Caret_SaysWhatIsExpectedThere(string marked, FilterExpectation expecting, string prefix, string? field)
    {
        var from = marked.IndexOf('[', StringComparison.Ordinal);
        var text = marked.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);
        var caret = text.IndexOf('|', StringComparison.Ordinal);
        text = text.Remove(caret, 1);
        var to = from < 0 ? caret : marked.Replace("[", "", StringComparison.Ordinal).Replace("|", "", StringComparison.Ordinal).IndexOf(']', StringComparison.Ordinal);

        var completion = FilterCompletion.At(text, caret, Signal.Traces);

        Assert.Equal(expecting, completion.Expecting);
        Assert.Equal(prefix, completion.Prefix);
        Assert.Equal((from < 0 ? caret : from, to), (completion.ReplaceFrom, completion.ReplaceTo));
        Assert.Equal(field, completion.Field?.ToString());
    }
}
