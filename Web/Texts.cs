using System.Collections.Frozen;
using System.Globalization;

namespace Apm.Web;

/// <summary>The strings of one language, as a page uses them: <c>T["Shell.Logs"]</c>.</summary>
internal sealed class Texts(FrozenDictionary<string, string> texts)
{
    /// <summary>The text of a key; the key itself where it is missing (a test keeps that from happening).</summary>
    public string this[string key] => texts.TryGetValue(key, out var text) ? text : key;

    /// <summary>A text with its {0}, {1} … filled in; arguments are formatted already.</summary>
    public string this[string key, params object?[] arguments] => string.Format(CultureInfo.InvariantCulture, this[key], arguments);

    /// <summary>A counted text: key <c>X.One</c> for 1, else <c>X.Other</c>; {0} is the count.</summary>
    public string Count(string key, long count) => this[key + (count == 1 ? ".One" : ".Other"), Format.Integer(count)];

    /// <summary>Whether a text exists, for names that come from data (an unknown reason is shown as it is).</summary>
    public bool Has(string key) => texts.ContainsKey(key);
}
