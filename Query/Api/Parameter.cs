using System.Collections.Immutable;
using System.Globalization;
using Apm.Storage;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Query.Api;

/// <summary>Reads the parameters of requests. Each method throws <see cref="ParameterException"/>, which names the parameter.</summary>
internal static class Parameter
{
    /// <summary>Items of one page, and values of one facet.</summary>
    public const int MaxLimit = 1_000;

    public const int DefaultLimit = 20;

    /// <summary>Fields of <c>by</c>, as many as the store groups by.</summary>
    public const int MaxGroupFields = 4;

    /// <summary>Fields of one facet query.</summary>
    public const int MaxFacetFields = 50;

    /// <summary>Steps aimed at when the client names none: points a chart can show.</summary>
    private const int DefaultSteps = 60;

    private static readonly long[] s_niceStepsSeconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800];

    public static Filter Filter(string? text, Signal signal, string parameter = "q")
    {
        try
        {
            return string.IsNullOrWhiteSpace(text) ? Telemetry.Filters.Filter.All : FilterParser.Parse(text, signal);
        }
        catch (FilterSyntaxException exception)
        {
            throw new ParameterException(parameter, exception.Message, exception);
        }
    }

    public static Field Field(string? text, Signal signal, string parameter = "field")
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            throw new ParameterException(parameter, "is missing; expected a field, such as resource.service.name");
        }
        try
        {
            return FieldParser.Parse(text, signal);
        }
        catch (FilterSyntaxException exception)
        {
            throw new ParameterException(parameter, exception.Message, exception);
        }
    }

    public static ImmutableArray<Field> Fields(string[]? texts, Signal signal, string parameter, int max)
    {
        if (texts is null)
        {
            return [];
        }
        if (texts.Length > max)
        {
            throw new ParameterException(parameter, $"is given {texts.Length} times; expected at most {max}");
        }
        return [.. texts.Select(text => Field(text, signal, parameter))];
    }

    public static int Limit(string? text, int defaultLimit = DefaultLimit, int max = MaxLimit, string parameter = "limit")
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return defaultLimit;
        }
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit >= 1 && limit <= max
            ? limit
            : throw new ParameterException(parameter, $"'{text}' is out of range; expected a number from 1 to {max}");
    }

    public static bool Flag(string? text, string parameter)
    {
        return text switch
        {
            null or "" or "false" or "0" => false,
            "true" or "1" => true,
            _ => throw new ParameterException(parameter, $"'{text}' is neither true nor false"),
        };
    }

    /// <summary>One of a few words; the first is the default.</summary>
    public static string Word(string? text, string parameter, params ReadOnlySpan<string> words)
    {
        if (string.IsNullOrEmpty(text))
        {
            return words[0];
        }
        foreach (var word in words)
        {
            if (word == text)
            {
                return word;
            }
        }
        throw new ParameterException(parameter, $"'{text}' is unknown; expected {string.Join(" or ", words.ToArray())}");
    }

    public static Signal Signal(string? text) => Word(text, "signal", "traces", "logs") == "logs" ? Telemetry.Signal.Logs : Telemetry.Signal.Traces;

    public static TraceId TraceId(string text, string parameter = "id") => Telemetry.TraceId.TryParse(text, out var id) && !id.IsZero
        ? id
        : throw new ParameterException(parameter, "is no trace id; expected up to 32 hexadecimal digits, not all zero");

    public static SpanId SpanId(string text, string parameter = "spanId") => Telemetry.SpanId.TryParse(text, out var id) && !id.IsZero
        ? id
        : throw new ParameterException(parameter, "is no span id; expected up to 16 hexadecimal digits, not all zero");

    /// <summary>The step in nanoseconds; null when none was asked for.</summary>
    public static long? Step(string? text, TimeRange range)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }
        if (text == "auto")
        {
            return NiceStep(range);
        }
        if (decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds < 1e9m)
        {
            text = string.Create(CultureInfo.InvariantCulture, $"{seconds}s");
        }
        if (!DurationText.TryParse(text, out var nano) || nano < 1_000_000)
        {
            throw new ParameterException("step", $"'{text}' is no step; expected a duration of at least 1ms, such as 30s, a number of seconds, or auto");
        }
        // One more than the quotient, as steps are aligned to the epoch and so the first and the last may be cut.
        var steps = ((Int128)range.EndUnixNano - range.StartUnixNano) / nano + 2;
        return steps <= AggregateQuery.MaxSteps
            ? nano
            : throw new ParameterException("step", $"cuts the range into {steps} steps; expected at most {AggregateQuery.MaxSteps}: choose a longer one");
    }

    public static long StepOrNice(string? text, TimeRange range, int steps = DefaultSteps) => Step(text, range) ?? NiceStep(range, steps);

    /// <summary>The round step that cuts a range into at most about <paramref name="steps"/>.</summary>
    public static long NiceStep(TimeRange range, int steps = DefaultSteps)
    {
        var seconds = (double)((Int128)range.EndUnixNano - range.StartUnixNano) / 1e9 / steps;
        foreach (var nice in s_niceStepsSeconds)
        {
            if (nice >= seconds)
            {
                return nice * 1_000_000_000;
            }
        }
        var week = s_niceStepsSeconds[^1];
        return (long)Math.Ceiling(seconds / week) * week * 1_000_000_000;
    }
}
