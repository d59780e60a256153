namespace Apm.Web.Tests;

public sealed class FilterTextTests
{
    [Theory]
    [InlineData("", new string[0])]
    [InlineData("duration > 1s", new[] { "duration > 1s" })]
    [InlineData("a = \"x && y\" && b = 2", new[] { "a = \"x && y\"", "b = 2" })]
    [InlineData("a = \"q\\\" && r\" and b = 2 AND (c = 1 || d = 2)", new[] { "a = \"q\\\" && r\"", "b = 2", "(c = 1 || d = 2)" })]
    [InlineData("a = 1 || b = 2 && c = 3", new[] { "a = 1 || b = 2 && c = 3" })]
    [InlineData("a = \"open && b = 2", new[] { "a = \"open && b = 2" })]
    [InlineData("a = `\\` && b = 1", new[] { "a = `\\`", "b = 1" })]
    [InlineData("band = 1 && order = 2", new[] { "band = 1", "order = 2" })]
    [InlineData("&& a = 1", new[] { "&& a = 1" })]
    public void Terms_OfAFilter_AreWhatItsOutermostAndJoins(string filter, string[] expected) =>
        Assert.Equal(expected, FilterText.Terms(filter));

    [Theory]
    [InlineData("", "", "")]
    [InlineData("a = 1", "", "a = 1")]
    [InlineData("a = 1", "b = 2 || c = 3", "a = 1 && (b = 2 || c = 3)")]
    [InlineData("a = 1", "b = \"x || y\"", "a = 1 && b = \"x || y\"")]
    public void And_OfTwo_KeepsTheirMeaning(string left, string right, string expected) =>
        Assert.Equal(expected, FilterText.And(left, right));

    [Theory]
    [InlineData("plain", "\"plain\"")]
    [InlineData("say \"hi\"\\", "\"say \\\"hi\\\"\\\\\"")]
    [InlineData("a\nb\tc", "\"a\\nb\\tc\"")]
    public void Quote_OfAnyText_IsOneLiteral(string text, string expected) => Assert.Equal(expected, FilterText.Quote(text));
}

public sealed class FacetTermTests
{
    [Theory]
    [InlineData("severity = error", "severity", "error")]
    [InlineData("(severity = error || severity = warn)", "severity", "error,warn")]
    [InlineData("log.\"{OriginalFormat}\" = \"a \\\"b\\\" || c\"", "log.\"{OriginalFormat}\"", "a \"b\" || c")]
    [InlineData("duration > 1s", null, "")]
    [InlineData("(a.b = 1 || c.d = 2)", null, "")]
    [InlineData("(a.b = 1 && a.b = 2)", null, "")]
    public void Read_OfATerm_KnowsTheFieldOfAFacet(string text, string? field, string values)
    {
        var term = Assert.Single(Pages.FacetTerm.Read(text));
        Assert.Equal((field, values), (term.Field, string.Join(',', term.Values)));
    }
}
