using System.Globalization;
using System.Text.Json;
using Apm.Telemetry;
using Apm.Telemetry.Filters;
using Microsoft.AspNetCore.Http;

namespace Apm.Query.Jaeger;

/// <summary>Reads the parameters of Jaeger's requests. Each method throws <see cref="JaegerException"/>, which names the parameter.</summary>
internal static class JaegerParameter
{
    public const int DefaultLimit = 100;

    /// <summary>Whole traces in one answer: above what Jaeger's own UI offers (1,500).</summary>
    public const int MaxLimit = 2_000;

    /// <summary>Unix times in microseconds stay below this until the year 5138; in milliseconds Grafana sends them where Jaeger reads microseconds.</summary>
    private const long FirstMicroseconds = 100_000_000_000_000;

    public static string? Text(IQueryCollection query, string name) => query.TryGetValue(name, out var values) && !string.IsNullOrEmpty(values[0]) ? values[0] : null;

    /// <summary>v3's name of a parameter, camelCase or the older snake_case.</summary>
    public static string? Text(IQueryCollection query, string name, string older) => Text(query, name) ?? Text(query, older);

    public static int Limit(string? text, string name)
    {
        if (text is null)
        {
            return DefaultLimit;
        }
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var limit))
        {
            throw JaegerException.Wrong(name, $"'{text}' is not a number");
        }
        return limit switch
        {
            <= 0 => throw JaegerException.Invalid($"invalid parameter: {name} must be greater than 0"),
            > MaxLimit => throw JaegerException.Invalid($"invalid parameter: {name} must be at most {MaxLimit}"),
            _ => limit,
        };
    }

    /// <summary>A truth value as Go writes it; null is false.</summary>
    public static bool Flag(string? text, string name) => text switch
    {
        null or "false" or "0" or "f" or "F" or "False" or "FALSE" => false,
        "true" or "1" or "t" or "T" or "True" or "TRUE" => true,
        _ => throw JaegerException.Wrong(name, $"'{text}' is neither true nor false"),
    };

    /// <summary>A duration as Go writes it. Absent and 0 are both no bound.</summary>
    public static long? DurationNano(string? text, string name)
    {
        if (text is null or "0")
        {
            return null;
        }
        return DurationText.TryParse(text, out var nano) && nano >= 0
            ? nano > 0 ? nano : null
            : throw JaegerException.Wrong(name, $"'{text}' is not a duration such as 1.5ms or 2s");
    }

    /// <summary>A Unix time in microseconds as nanoseconds.</summary>
    public static long? MicrosecondsToNano(string? text, string name)
    {
        if (text is null)
        {
            return null;
        }
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var time))
        {
            throw JaegerException.Wrong(name, $"'{text}' is not a Unix time in microseconds");
        }
        var nano = (Int128)time * (time < FirstMicroseconds ? 1_000_000 : 1_000);
        return nano <= long.MaxValue ? (long)nano : long.MaxValue;
    }

    /// <summary>A number of milliseconds, not negative, as nanoseconds.</summary>
    public static long MillisecondsToNano(string? text, string name, long defaultNano)
    {
        if (text is null)
        {
            return defaultNano;
        }
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds <= long.MaxValue / 1_000_000
            ? milliseconds * 1_000_000
            : throw JaegerException.Wrong(name, $"'{text}' is not a number of milliseconds");
    }

    /// <summary>RFC 3339 to the nanosecond. What lies outside the years 1678 to 2262 is the nearest that fits.</summary>
    public static long Rfc3339ToNano(string text, string name)
    {
        // A '+' that was not encoded arrives as a space.
        var time = text.Replace(' ', '+');
        // .NET keeps seven digits of the fraction; the last two are read here.
        var nano = 0;
        var dot = time.IndexOf('.');
        if (dot >= 0)
        {
            var end = dot + 1;
            while (end < time.Length && char.IsAsciiDigit(time[end]))
            {
                end++;
            }
            var fraction = time[(dot + 1)..end].PadRight(9, '0')[..9];
            time = string.Concat(time.AsSpan(0, dot), time.AsSpan(end));
            if (end == dot + 1 || !int.TryParse(fraction, NumberStyles.None, CultureInfo.InvariantCulture, out nano))
            {
                time = "";
            }
        }
        if (!DateTimeOffset.TryParseExact(time, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd't'HH:mm:ssK"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at))
        {
            throw JaegerException.Wrong(name, $"'{text}' is not a time in RFC 3339");
        }
        return (long)Int128.Clamp(((Int128)(at - DateTimeOffset.UnixEpoch).Ticks * 100) + nano, long.MinValue, long.MaxValue);
    }

    /// <summary>Up to 32 hexadecimal digits, not all zero.</summary>
    public static TraceId TraceId(string? text, string name = "traceID") => Telemetry.TraceId.TryParse(text, out var id) && !id.IsZero
        ? id
        : throw JaegerException.Wrong(name, $"'{text}' is not a trace id of up to 32 hexadecimal digits");

    /// <summary><c>server</c>, or the enum's name <c>SPAN_KIND_SERVER</c>.</summary>
    public static SpanKind Kind(string text, string name)
    {
        const string prefix = "SPAN_KIND_";
        var word = text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? text[prefix.Length..] : text;
        return Enum.TryParse<SpanKind>(word, ignoreCase: true, out var kind) && Enum.IsDefined(kind) && !char.IsAsciiDigit(word[0])
            ? kind
            : throw JaegerException.Wrong(name, $"'{text}' is not one of unspecified, internal, server, client, producer, consumer");
    }

    /// <summary>The <c>tag=key:value</c> and <c>tags={json}</c> parameters. Of one key given twice the last counts.</summary>
    public static IEnumerable<Filter> Tags(IQueryCollection query)
    {
        var tags = new Dictionary<string, string>();
        foreach (var tag in query["tag"])
        {
            var colon = tag?.IndexOf(':') ?? -1;
            if (colon <= 0)
            {
                throw JaegerException.Invalid($"malformed 'tag' parameter, expecting key:value, received: {tag}");
            }
            tags[tag![..colon]] = tag[(colon + 1)..];
        }
        foreach (var json in query["tags"])
        {
            try
            {
                AddTags(tags, json);
            }
            catch (JsonException exception)
            {
                throw JaegerException.Invalid($"malformed 'tags' parameter, cannot unmarshal JSON: {exception.Message}");
            }
        }
        return tags.Select(tag => JaegerSearch.Tag(tag.Key, tag.Value));
    }

    /// <summary>v3's attributes: a JSON object of strings.</summary>
    public static IEnumerable<Filter> Attributes(string? json, string name)
    {
        var tags = new Dictionary<string, string>();
        try
        {
            AddTags(tags, json);
        }
        catch (JsonException exception)
        {
            throw JaegerException.Wrong(name, exception.Message);
        }
        return tags.Select(tag => JaegerSearch.Tag(tag.Key, tag.Value));
    }

    /// <summary>Jaeger takes strings only; here numbers and truth values are taken as they are written.</summary>
    /// <exception cref="JsonException">Not an object of such values.</exception>
    private static void AddTags(Dictionary<string, string> tags, string? json)
    {
        if (string.IsNullOrEmpty(json))
        {
            return;
        }
        using var document = JsonDocument.Parse(json);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw new JsonException("an object of strings is expected");
        }
        foreach (var tag in document.RootElement.EnumerateObject())
        {
            tags[tag.Name] = tag.Value.ValueKind switch
            {
                JsonValueKind.String => tag.Value.GetString()!,
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => tag.Value.GetRawText(),
                _ => throw new JsonException($"the value of '{tag.Name}' is not a string"),
            };
        }
    }
}
