using System.Collections;
using System.Collections.Frozen;
using System.Globalization;
using System.Resources;
using System.Text.Json;

namespace Apm.Web;

/// <summary>
/// Every visible string, read once from Resources/*.resx. A key starts with the name of its file (<c>Logs.Empty</c> is in Logs.resx), so that a page owns
/// its strings; a file is found by being embedded. Modules get the same strings as <c>text/{language}.json</c>.
/// </summary>
internal sealed class TextCatalog
{
    private const string Prefix = "Apm.Web.Resources.";
    private const string Suffix = ".resources";

    private readonly FrozenDictionary<string, FrozenDictionary<string, string>> _languages;

    public TextCatalog()
    {
        var assembly = typeof(TextCatalog).Assembly;
        var sets = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal))
            .Select(name => new ResourceManager(name[..^Suffix.Length], assembly))
            .ToArray();
        _languages = Language.All.ToFrozenDictionary(language => language.Tag, language => Read(sets, language));
    }

    /// <summary>All keys of a language with their texts; English stands in for a text that a translation lacks.</summary>
    public FrozenDictionary<string, string> Texts(Language language) => _languages[language.Tag];

    public byte[] Json(Language language) =>
        JsonSerializer.SerializeToUtf8Bytes(Texts(language).OrderBy(text => text.Key, StringComparer.Ordinal).ToDictionary());

    private static FrozenDictionary<string, string> Read(ResourceManager[] sets, Language language)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var set in sets)
        {
            Add(texts, set, CultureInfo.InvariantCulture);
            if (language != Language.English)
                Add(texts, set, language.Culture);
        }
        return texts.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static void Add(Dictionary<string, string> texts, ResourceManager set, CultureInfo culture)
    {
        if (set.GetResourceSet(culture, createIfNotExists: true, tryParents: false) is not { } resources)
            return;
        foreach (DictionaryEntry entry in resources)
            texts[(string)entry.Key] = (string)entry.Value!;
    }
}
