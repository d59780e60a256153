using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Apm.ServiceDefaults.Settings;

/// <summary>
/// Reads sections of the configuration into options and collects everything that is wrong, so that one start names all of it: values that cannot be read,
/// values outside their <see cref="RangeAttribute"/> or other validation attribute, and keys that no option has. Used at start, by one thread.
/// </summary>
public sealed class SettingsCheck(IConfiguration configuration)
{
    /// <summary>Letters that may differ between a mistyped key and the one suggested.</summary>
    private const int MaxTypos = 3;

    private readonly List<string> _errors = [];
    private readonly Dictionary<string, HashSet<string>> _known = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<string> Errors => _errors;

    /// <summary>A section's options; with defaults where the setting is absent or wrong.</summary>
    public T Read<T>(string section) where T : new()
    {
        var options = new T();
        Read(options, section);
        return options;
    }

    /// <summary>Reads a section into options that exist, so that a host's own defaults stand where nothing is set.</summary>
    public void Read(object options, string section)
    {
        var names = Known(section);
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite))
        {
            names.Add(property.Name);
            var child = configuration.GetSection($"{section}:{property.Name}");
            if (child.Exists() && TryConvert(child, property.PropertyType, out var value))
            {
                property.SetValue(options, value);
            }
            Validate(options, property, child);
        }
    }

    /// <summary>Keys below a section that are read elsewhere, such as sections in a section.</summary>
    public void Allow(string section, params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            Known(section).Add(key);
        }
    }

    public void Add(string error) => _errors.Add(error);

    /// <summary>Ends the reading: looks for keys that no option has.</summary>
    /// <param name="commandLineKeys">Keys given as arguments: all of their sections must be known too.</param>
    /// <param name="foreignSections">Sections of the framework, such as Logging.</param>
    /// <exception cref="SettingsException">Something is wrong.</exception>
    public void ThrowIfWrong(IEnumerable<string> commandLineKeys, params string[] foreignSections)
    {
        foreach (var (section, names) in _known)
        {
            foreach (var child in configuration.GetSection(section).GetChildren().Where(child => !names.Contains(child.Key)))
            {
                _errors.Add($"{section}:{child.Key}: there is no such setting{Suggest(child.Key, names, section + ":")}.");
            }
        }
        var sections = _known.Keys.Select(section => section.Split(':')[0]).Concat(foreignSections).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var section in commandLineKeys.Select(key => key.Split(':')[0]).Distinct(StringComparer.OrdinalIgnoreCase).Where(section => !sections.Contains(section)))
        {
            _errors.Add($"{section}: there is no such section of settings{Suggest(section, sections, "")}.");
        }
        if (_errors.Count > 0)
        {
            throw new SettingsException([.. _errors.Distinct()]);
        }
    }

    private HashSet<string> Known(string section)
    {
        if (!_known.TryGetValue(section, out var names))
        {
            _known[section] = names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        }
        var colon = section.LastIndexOf(':');
        if (colon > 0)
        {
            Known(section[..colon]).Add(section[(colon + 1)..]);
        }
        return names;
    }

    private bool TryConvert(IConfigurationSection section, Type type, out object? value)
    {
        value = null;
        var target = Nullable.GetUnderlyingType(type) ?? type;
        if (target == typeof(string[]))
        {
            // One string is a list separated by commas, as on a command line.
            value = section.Value is { } list
                ? list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                : section.GetChildren().Select(child => child.Value ?? "").ToArray();
            return true;
        }
        if (section.Value is not { } text)
        {
            _errors.Add($"{section.Path}: has keys below it, must be {Describe(target)}.");
            return false;
        }
        try
        {
            value = target == typeof(TimeSpan) ? TimeSpan.Parse(text, CultureInfo.InvariantCulture)
                : target.IsEnum ? Enum.Parse(target, text, ignoreCase: true)
                : TypeDescriptor.GetConverter(target).ConvertFromInvariantString(text);
            return !target.IsEnum || Enum.IsDefined(target, value!) || Wrong(section, target, text);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException or NotSupportedException)
        {
            return Wrong(section, target, text);
        }
    }

    private bool Wrong(IConfigurationSection section, Type target, string text)
    {
        _errors.Add($"{section.Path}: '{text}' must be {Describe(target)}.");
        return false;
    }

    private void Validate(object options, PropertyInfo property, IConfigurationSection section)
    {
        var value = property.GetValue(options);
        foreach (var attribute in property.GetCustomAttributes<ValidationAttribute>())
        {
            if (attribute.IsValid(value))
            {
                continue;
            }
            var right = attribute switch
            {
                RangeAttribute range => string.Create(CultureInfo.InvariantCulture, $"must be from {range.Minimum} to {range.Maximum}"),
                RequiredAttribute => "must be given",
                _ => attribute.FormatErrorMessage(property.Name),
            };
            _errors.Add(string.Create(CultureInfo.InvariantCulture, $"{section.Path}: '{value}' {right}."));
        }
    }

    private static string Describe(Type type) => type switch
    {
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(int) || type == typeof(long) || type == typeof(ushort) => "a whole number",
        _ when type == typeof(double) => "a number",
        _ when type == typeof(TimeSpan) => "a time span such as 00:00:30",
        _ when type.IsEnum => string.Join(" or ", Enum.GetNames(type)),
        _ when type == typeof(string) => "text",
        _ => type.Name,
    };

    private static string Suggest(string wrong, IEnumerable<string> names, string prefix)
    {
        var ordered = names.OrderBy(name => Distance(wrong, name)).ThenBy(name => name, StringComparer.Ordinal).ToArray();
        if (ordered.Length == 0)
        {
            return "";
        }
        return Distance(wrong, ordered[0]) <= MaxTypos
            ? $"; did you mean {prefix}{ordered[0]}"
            : $"; there are {string.Join(", ", ordered.Order(StringComparer.Ordinal))}";
    }

    /// <summary>Levenshtein distance, without regard to case.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var change = diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.Length];
    }
}
