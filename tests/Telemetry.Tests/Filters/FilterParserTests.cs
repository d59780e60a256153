using System.Diagnostics;
using System.Text;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Telemetry.Tests.Filters;

public sealed class FilterParserTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("  \n ", "")]
    [InlineData("{}", "")]
    [InlineData("{ }", "")]
    [InlineData("{ true }", "")]
    [InlineData("false", "false")]
    [InlineData("{ resource.service.name = \"cart\" && duration > 100ms && (status = error || .http.route =~ \"/api/.*\") }",
        "resource.service.name = \"cart\" && duration > 100ms && (status = error || .http.route =~ \"/api/.*\")")]
    [InlineData("service.name = storefront AND duration > 1s", ".service.name = \"storefront\" && duration > 1s")]
    [InlineData("a.b = 1 or c.d = 2 and e.f = 3", ".a.b = 1 || .c.d = 2 && .e.f = 3")]
    [InlineData("(a.b = 1 or c.d = 2) and e.f = 3", "(.a.b = 1 || .c.d = 2) && .e.f = 3")]
    [InlineData("not kind = server and status = ok", "!(kind = server) && status = ok")]
    [InlineData("!(kind = server and status = ok)", "!(kind = server && status = ok)")]
    [InlineData("((((name = x))))", "name = \"x\"")]
    [InlineData(".a=1&&.b=2||.c=3", ".a = 1 && .b = 2 || .c = 3")]
    [InlineData("span.\"my key\" = true", "span.\"my key\" = true")]
    [InlineData(".\"weird = key\" != nil", ".\"weird = key\" != nil")]
    [InlineData("resource.x = nil", "resource.x = nil")]
    [InlineData("resource.\"a\".b = 1", "resource.a.b = 1")]
    [InlineData(".x = `c:\\temp`", ".x = \"c:\\\\temp\"")]
    [InlineData(".x = \"tab\\t quote\\\" \\u0041\"", ".x = \"tab\\t quote\\\" A\"")]
    [InlineData(".x = 1.5", ".x = 1.5")]
    [InlineData(".x = 5.0", ".x = 5.0")]
    [InlineData(".x = -5", ".x = -5")]
    [InlineData(".x = .5", ".x = 0.5")]
    [InlineData(".x = 1e3", ".x = 1000.0")]
    [InlineData(".x = 2.14.0", ".x = \"2.14.0\"")]
    [InlineData(".x = 10.0.0.1", ".x = \"10.0.0.1\"")]
    [InlineData(".x = v2.14.0", ".x = \"v2.14.0\"")]
    [InlineData(".x = /api/cart", ".x = \"/api/cart\"")]
    [InlineData(".x > 1h30m", ".x > 5400000000000")]
    [InlineData(".x = error", ".x = \"error\"")]
    [InlineData("duration >= 1h30m", "duration >= 5400s")]
    [InlineData("duration < 1.5s", "duration < 1.5s")]
    [InlineData("duration < 10us", "duration < 10us")]
    [InlineData("duration < 10µs", "duration < 10us")]
    [InlineData("duration != 15ns", "duration != 15ns")]
    [InlineData("duration > 1m30.5s", "duration > 90.5s")]
    [InlineData("duration > 0", "duration > 0s")]
    [InlineData("span:duration > 1ms", "duration > 1ms")]
    [InlineData("traceDuration > 1s", "traceDuration > 1s")]
    [InlineData("trace:duration > 1s", "traceDuration > 1s")]
    [InlineData("100ms < duration", "duration > 100ms")]
    [InlineData("\"cart\" = resource.service.name", "resource.service.name = \"cart\"")]
    [InlineData("500 <= .http.status_code", ".http.status_code >= 500")]
    [InlineData("trace:rootName = \"GET /\"", "rootName = \"GET /\"")]
    [InlineData("trace:rootService != web", "rootServiceName != \"web\"")]
    [InlineData("trace:id = 1E5", "trace:id = \"000000000000000000000000000001e5\"")]
    [InlineData("span:id != \"AB\"", "span:id != \"00000000000000ab\"")]
    [InlineData("span:parentID = nil", "span:parentID = \"\"")]
    [InlineData("event:name = exception && instrumentation:name =~ \"My.*\"", "event:name = \"exception\" && instrumentation:name =~ \"My.*\"")]
    [InlineData("instrumentation:version = \"1\"", "instrumentation:version = \"1\"")]
    [InlineData("event.exception.type = x and link.kind = y and instrumentation.z = 1", "event.exception.type = \"x\" && link.kind = \"y\" && instrumentation.z = 1")]
    [InlineData("name CONTAINS \"Pay\"", "name contains \"Pay\"")]
    [InlineData("name !~ \"a|b\"", "name !~ \"a|b\"")]
    [InlineData("kind != CLIENT", "kind != client")]
    [InlineData("status = \"error\"", "status = error")]
    [InlineData("Duration > 1s", "duration > 1s")]
    [InlineData("名前.キー = \"値\"", ".名前.キー = \"値\"")]
    public void Parse_Spans_GivesCanonicalText(string text, string canonical)
    {
        var filter = FilterParser.Parse(text, Signal.Traces);
        Assert.Equal(canonical, FilterFormatter.Format(filter, Signal.Traces));
        Assert.True(FilterEquality.Same(filter, FilterParser.Parse(canonical, Signal.Traces)));
    }

    [Theory]
    [InlineData("severity >= warn", "severity >= warn")]
    [InlineData("severity > warn", "severity > warn")]
    [InlineData("severity <= WARN", "severity <= warn")]
    [InlineData("severity < warn", "severity < warn")]
    [InlineData("severity = warn", "severity = warn")]
    [InlineData("severity != warn", "severity != warn")]
    [InlineData("severity = 14", "severity = 14")]
    [InlineData("severity >= 14", "severity >= 14")]
    [InlineData("severity = unspecified", "severity = 0")]
    [InlineData("log.x = 1 and severity = error and body contains timeout", "log.x = 1 && severity = error && body contains \"timeout\"")]
    [InlineData("log.x = 1 and severity != error", "log.x = 1 && severity != error")]
    [InlineData("severity = error or severity = fatal", "severity = error || severity = fatal")]
    [InlineData("severity != error or log.x = 1", "severity != error || log.x = 1")]
    [InlineData("severityText = WARN and name = evt and trace:id = ff", "severityText = \"WARN\" && name = \"evt\" && trace:id = \"000000000000000000000000000000ff\"")]
    [InlineData("body =~ \".*timed out.*\"", "body =~ \".*timed out.*\"")]
    public void Parse_Logs_GivesCanonicalText(string text, string canonical)
    {
        var filter = FilterParser.Parse(text, Signal.Logs);
        Assert.Equal(canonical, FilterFormatter.Format(filter, Signal.Logs));
        Assert.True(FilterEquality.Same(filter, FilterParser.Parse(canonical, Signal.Logs)));
    }

    [Theory]
    // Text, line and column of the mistake, what was expected, what the message says.
    [InlineData("foo = 1", 1, 1, "a field", "unknown field 'foo'")]
    [InlineData("name", 1, 5, "a comparison", "the filter ends")]
    [InlineData("name =", 1, 7, "a value", "the filter ends")]
    [InlineData("name = and status = ok", 1, 8, "\"and\"", "found and")]
    [InlineData("name = x y", 1, 10, "'&&', '||' or the end", "found y")]
    [InlineData("name = x &&", 1, 12, "a field", "the filter ends")]
    [InlineData("name = x & kind = server", 1, 10, "'&&'", "single '&'")]
    [InlineData("{ name = x } | rate()", 1, 14, "pipelines", "single '|'")]
    [InlineData("{ name = x } && { name = y }", 1, 14, "one pair of braces", "found &&")]
    [InlineData("{ name = x", 1, 11, "'}'", "the filter ends")]
    [InlineData("name = x }", 1, 10, "the end", "found }")]
    [InlineData("(name = x", 1, 10, "')'", "the filter ends")]
    [InlineData("()", 1, 2, "a field", "found )")]
    [InlineData("name == x", 1, 6, "'='", "'=='")]
    [InlineData("name = 'x'", 1, 8, "double quotes", "single quote")]
    [InlineData("name = \"x", 1, 8, "a closing \"", "not closed")]
    [InlineData("name = `x", 1, 8, "a closing `", "not closed")]
    [InlineData("name =~ \"\\d\"", 1, 10, "backquotes", "unknown escape \\d")]
    [InlineData("name = \"a\\", 1, 10, "backquotes", "unknown escape")]
    [InlineData("name = \"\\u00g0\"", 1, 9, "\\uXXXX", "unknown escape")]
    [InlineData("name = x\nand\n  duration > \"x\"", 3, 14, "a duration", "\"x\" is no duration")]
    [InlineData("duration > 100", 1, 12, "100ms", "100 has no unit")]
    [InlineData("duration > fast", 1, 12, "a duration", "fast is no duration")]
    [InlineData("duration > 10000000h", 1, 12, "100ms", "no duration")]
    [InlineData("duration =~ \"1.*\"", 1, 10, "= or !=", "duration is not a string")]
    [InlineData("duration = nil", 1, 12, "never absent", "nil")]
    [InlineData("kind = 5", 1, 8, "client, producer or consumer", "kind is never 5")]
    [InlineData("kind > server", 1, 6, "= or !=", "no order")]
    [InlineData("kind contains s", 1, 6, "= or !=", "not a string")]
    [InlineData("status = failed", 1, 10, "unset, ok or error", "status is never failed")]
    [InlineData("name = 5", 1, 8, "\"5\"", "name is a string")]
    [InlineData("name = true", 1, 8, "\"true\"", "name is a string")]
    [InlineData(".x > true", 1, 4, "= or !=", "a boolean has no order")]
    [InlineData(".x > nil", 1, 4, "= or !=", "nil has no order")]
    [InlineData(".x = .y", 1, 6, "two fields cannot be compared", ".y is a field")]
    [InlineData(".x = span.y", 1, 6, "two fields", "is a field")]
    [InlineData(".x = 99999999999999999999", 1, 6, "64 bits", "too large")]
    [InlineData(".x = 1e999", 1, 6, "64 bits", "too large")]
    [InlineData("span. = 1", 1, 6, "an attribute's name", "missing")]
    [InlineData(". = 1", 1, 2, "an attribute's name", "missing")]
    [InlineData("parent.x = 1", 1, 1, "the span itself", "parent span")]
    [InlineData("log.x = 1", 1, 1, "span.", "no log attributes")]
    [InlineData("body = x", 1, 1, ".body", "spans have no 'body'")]
    [InlineData("severity = warn", 1, 1, "statusMessage", "spans have no 'severity'")]
    [InlineData("trace:id = xyz", 1, 12, "32 hexadecimal", "no trace id")]
    [InlineData("trace:id > 1", 1, 10, "= or !=", "no order")]
    [InlineData("span:id = 11112222333344445", 1, 11, "16 hexadecimal", "no span id")]
    [InlineData("name =~ \"(\"", 1, 9, "a regular expression", "cannot be used")]
    [InlineData("name =~ \"a)|(b\"", 1, 9, "a regular expression", "cannot be used")]
    [InlineData("name =~ \"(?=a)\"", 1, 9, "linear time", "look-around")]
    [InlineData("name =~ \"(a{100}){100}\"", 1, 9, "linear time", "repetitions")]
    [InlineData("name =~ \"(?x)a #\"", 1, 9, "linear time", "cannot be used")]
    [InlineData("\"x\" =~ name", 1, 5, "after a value", "pattern must stand on the right")]
    [InlineData("5 = 5", 1, 5, "a field", "unknown field '5'")]
    [InlineData("5 = \"x\"", 1, 5, "a field", "found \"x\"")]
    [InlineData("name = x, kind = server", 1, 9, "an operator", "','")]
    [InlineData("name = x \u0001", 1, 10, "an operator", "control character")]
    public void Parse_Wrong_SaysWhereAndWhatWasExpected(string text, int line, int column, string expected, string problem)
    {
        var exception = Assert.Throws<FilterSyntaxException>(() => FilterParser.Parse(text, Signal.Traces));
        Assert.Equal((line, column), (exception.Line, exception.Column));
        Assert.Contains(expected, exception.Expected, StringComparison.Ordinal);
        Assert.Contains(problem, exception.Message, StringComparison.Ordinal);
        Assert.Contains(exception.Expected, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("duration > 1s", 1, "log records have no 'duration'")]
    [InlineData("span.x = 1", 1, "no span, event or link attributes")]
    [InlineData("event.x = 1", 1, "no span, event or link attributes")]
    [InlineData("severity = loud", 12, "no severity loud")]
    [InlineData("severity = 25", 12, "no severity 25")]
    [InlineData("severity =~ \"w.*\"", 10, "severity is not a string")]
    public void Parse_WrongForLogs_SaysWhere(string text, int column, string problem)
    {
        var exception = Assert.Throws<FilterSyntaxException>(() => FilterParser.Parse(text, Signal.Logs));
        Assert.Equal(column, exception.Column);
        Assert.Contains(problem, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_Comparison_BuildsTheFieldAndTheTypedLiteral()
    {
        Assert.Equal(
            new ComparisonFilter(Field.Attribute(FieldScope.Record, "http.response.status_code"), ComparisonOperator.GreaterOrEqual, AttributeValue.FromInt64(500)),
            FilterParser.Parse("span.http.response.status_code >= 500", Signal.Traces));
        Assert.Equal(new ComparisonFilter(Field.Of(Intrinsic.Status), ComparisonOperator.Equal, AttributeValue.FromInt64(2)), FilterParser.Parse("status = error", Signal.Traces));
        Assert.Equal(new ComparisonFilter(Field.Of(Intrinsic.Kind), ComparisonOperator.Equal, AttributeValue.FromInt64(3)), FilterParser.Parse("kind = client", Signal.Traces));
    }

    [Theory]
    [InlineData("severity = warn", 13, true)]
    [InlineData("severity = warn", 16, true)]
    [InlineData("severity = warn", 17, false)]
    [InlineData("severity != warn", 12, true)]
    [InlineData("severity != warn", 14, false)]
    [InlineData("severity > warn", 16, false)]
    [InlineData("severity > warn", 17, true)]
    [InlineData("severity >= warn", 13, true)]
    [InlineData("severity <= warn", 16, true)]
    [InlineData("severity <= warn", 17, false)]
    [InlineData("severity < warn", 13, false)]
    public void Parse_SeverityWord_ComparesByRange(string text, long number, bool matches) => Assert.Equal(matches, Holds(FilterParser.Parse(text, Signal.Logs), number));

    [Fact]
    public void Parse_Regex_IsAnchored()
    {
        var regex = Assert.IsType<RegexFilter>(FilterParser.Parse("name =~ \"a|b\"", Signal.Traces));
        Assert.Matches(regex.Pattern, "a");
        Assert.DoesNotMatch(regex.Pattern, "ab");
        Assert.DoesNotMatch(regex.Pattern, "b\n");
    }

    [Fact]
    public void Parse_TextOverTheLimit_IsRejected()
    {
        var exception = Assert.Throws<FilterSyntaxException>(() => FilterParser.Parse(new string('x', 100_000), Signal.Traces));
        Assert.Contains("100000 characters", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("(")]
    [InlineData("!")]
    [InlineData("not ")]
    [InlineData("!(")]
    public void Parse_NestingOverTheLimit_IsRejected(string opening)
    {
        var text = string.Concat(Enumerable.Repeat(opening, 10_000));
        var exception = Assert.Throws<FilterSyntaxException>(() => FilterParser.Parse(text, Signal.Traces));
        Assert.Contains("64 parentheses", exception.Expected, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_NestingAtTheLimit_IsAccepted()
    {
        var text = new string('(', FilterLimits.MaxNesting) + "name = x" + new string(')', FilterLimits.MaxNesting);
        Assert.IsType<ComparisonFilter>(FilterParser.Parse(text, Signal.Traces));
    }

    [Fact]
    public void Parse_TooManyComparisonsOrRegexes_IsRejected()
    {
        string Joined(string term, int count) => string.Join(" || ", Enumerable.Repeat(term, count));
        FilterParser.Parse(Joined(".a = 1", FilterLimits.MaxComparisons), Signal.Traces);
        Assert.Throws<FilterSyntaxException>(() => FilterParser.Parse(Joined(".a = 1", FilterLimits.MaxComparisons + 1), Signal.Traces));
        Assert.Throws<FilterSyntaxException>(() => FilterParser.Parse(Joined(".a =~ \"x\"", FilterLimits.MaxRegexes + 1), Signal.Traces));
    }

    [Fact]
    public void ParseAndFormat_RandomFilters_AreInverse()
    {
        for (var seed = 0; seed < 3_000; seed++)
        {
            var signal = seed % 2 == 0 ? Signal.Traces : Signal.Logs;
            var filter = new FilterGenerator(new Random(seed), signal).Next(4);
            var text = FilterFormatter.Format(filter, signal);
            var parsed = FilterParser.Parse(text, signal);
            Assert.True(FilterEquality.Same(filter, parsed), $"seed {seed}: {text} became {FilterFormatter.Format(parsed, signal)}");
        }
    }

    [Fact]
    public void Parse_RandomText_ThrowsNothingButSyntaxErrors()
    {
        string[] pieces =
        [
            "name", "=", "=~", "!~", "!=", "<", ">=", "contains", " ", "\"x\"", "`y`", "\"", "`", "\\", "(", ")", "{", "}", "&&", "||", "&", "|", "!", "not", "and", "or", ".a", "span.", "resource.b",
            "duration", "5ms", "1h30m", "99999999999999999999h", "nil", "true", "severity", "warn", "kind", "server", "0", "-", ".", "..", "5.5.5", "\u00e9", "\ud800", "\0", "\n", "event:name", "trace:id", "ff",
            "\"(\"", "\"(?=x)\"", "span.\"", "{1000}", "\"a{900}{900}\"",
        ];
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var builder = new StringBuilder();
            for (var i = random.Next(1, 15); i > 0; i--)
            {
                builder.Append(pieces[random.Next(pieces.Length)]).Append(random.Next(2) == 0 ? " " : "");
            }
            var text = builder.ToString();
            var signal = seed % 2 == 0 ? Signal.Traces : Signal.Logs;
            try
            {
                var filter = FilterParser.Parse(text, signal);
                Assert.True(FilterEquality.Same(filter, FilterParser.Parse(FilterFormatter.Format(filter, signal), signal)), text);
            }
            catch (FilterSyntaxException exception)
            {
                Assert.InRange(exception.Offset, 0, text.Length);
                Assert.NotEmpty(exception.Expected);
            }
            FilterCompletion.At(text, random.Next(text.Length + 2), signal);
        }
    }

    [Theory]
    [InlineData("(")]
    [InlineData(".a = 1 && ")]
    [InlineData("\"")]
    [InlineData("\"\\\"")]
    [InlineData(".\"a\"")]
    [InlineData(".\"a\".")]
    [InlineData("1h")]
    [InlineData("x")]
    [InlineData("\n")]
    [InlineData("name =~ \"a{9}\" && ")]
    public void Parse_LongestText_TakesLinearTime(string piece)
    {
        var text = string.Concat(Enumerable.Repeat(piece, FilterLimits.MaxTextChars / piece.Length));
        var watch = Stopwatch.StartNew();
        try
        {
            FilterParser.Parse(text, Signal.Traces);
        }
        catch (FilterSyntaxException)
        {
        }
        FilterCompletion.At(text, text.Length, Signal.Traces);
        // Quadratic work on 64 Ki characters takes far longer than this even on a slow machine; linear work takes a few milliseconds.
        Assert.InRange(watch.ElapsedMilliseconds, 0, 5_000);
    }

    private static bool Holds(Filter filter, long number) => filter switch
    {
        AndFilter and => and.Filters.All(operand => Holds(operand, number)),
        OrFilter or => or.Filters.Any(operand => Holds(operand, number)),
        ComparisonFilter { Operator: ComparisonOperator.Less } comparison => number < comparison.Value.Bits,
        ComparisonFilter { Operator: ComparisonOperator.LessOrEqual } comparison => number <= comparison.Value.Bits,
        ComparisonFilter { Operator: ComparisonOperator.Greater } comparison => number > comparison.Value.Bits,
        ComparisonFilter { Operator: ComparisonOperator.GreaterOrEqual } comparison => number >= comparison.Value.Bits,
        ComparisonFilter { Operator: ComparisonOperator.Equal } comparison => number == comparison.Value.Bits,
        _ => throw new InvalidOperationException(filter.ToString()),
    };
}
