using System.Globalization;
using System.Text;

namespace Apm.Web.Api;

/// <summary>The query string of a request to the API, built in order. Empty values are left out.</summary>
internal sealed class ApiParameters
{
    private readonly StringBuilder _text = new();

    public ApiParameters Add(string key, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            _text.Append(_text.Length == 0 ? '?' : '&').Append(key).Append('=').Append(Uri.EscapeDataString(value));
        return this;
    }

    public ApiParameters Add(string key, long value) => Add(key, value.ToString(CultureInfo.InvariantCulture));

    public override string ToString() => _text.ToString();
}
