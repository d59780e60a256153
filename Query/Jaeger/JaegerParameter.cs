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
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var limit) && limit is > 0 and <= MaxLimit
            ? limit
            : throw JaegerException.Wrong(name, $"'{text}' is not a number from 1 to {MaxLimit}");
    }

    public static bool Flag(string? text, string name) => text switch
    {
        null or "false" or "0" => false,
        "true" or "1" => true,
        _ => throw JaegerException.Wrong(name, $"'{text}' is neither true nor false"),
    };

    public static long? DurationNano(string? text, string name)
    {
        if (text is null)
        {
            return null;
        }
        return DurationText.TryParse(text, out var nano) && nano >= 0
            ? nano
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

    public static long? Rfc3339ToNano(string? text, string name)
    {
        if (text is null)
        {
            return null;
        }
        // A '+' that was not encoded arrives as a space.
        return DateTimeOffset.TryParse(text.Replace(' ', '+'), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? (time - DateTimeOffset.UnixEpoch).Ticks * 100
            : throw JaegerException.Wrong(name, $"'{text}' is not a time in RFC 3339");
    }

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

    /// <summary>The <c>tag=key:value</c> parameters.</summary>
    public static IEnumerable<Filter> Tags(IQueryCollection query)
    {
        foreach (var tag in query["tag"])
        {
            var colon = tag?.IndexOf(':') ?? -1;
            yield return colon > 0
                ? JaegerSearch.Tag(tag![..colon], tag[(colon + 1)..])
                : throw JaegerException.Wrong("tag", $"malformed 'tag' parameter, expecting key:value, received: {tag}");
        }
    }

    /// <summary>A JSON object of strings.</summary>
    public static IEnumerable<Filter> TagObject(string? json, string name)
    {
        if (json is null)
        {
            return [];
        }
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return [.. document.RootElement.EnumerateObject().Select(tag => JaegerSearch.Tag(tag.Name, tag.Value.ValueKind == JsonValueKind.String ? tag.Value.GetString()! : tag.Value.GetRawText()))];
            }
        }
        catch (JsonException exception)
        {
            throw JaegerException.Wrong(name, $"malformed '{name}' parameter, cannot unmarshal JSON: {exception.Message}");
        }
        throw JaegerException.Wrong(name, $"malformed '{name}' parameter, expecting a JSON object of strings");
    }
}
