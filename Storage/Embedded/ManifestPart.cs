using System.Globalization;
using Apm.Telemetry;

namespace Apm.Storage.Embedded;

/// <summary>A part as the manifest lists it.</summary>
/// <param name="Id">Rising, never reused; names the file.</param>
/// <param name="Level">How often its rows were merged: 0 for a part sealed from the head.</param>
/// <param name="SealedUnixSeconds">When the last of its rows was sealed, by this machine's clock; 0: not known.</param>
internal sealed record ManifestPart(long Id, Signal Signal, int Level, long Rows, long Bytes, long SealedUnixSeconds = 0)
{
    public const string Extension = ".part";

    public const string RollupExtension = ".rollup";

    public string FileName => Id.ToString("x16", CultureInfo.InvariantCulture) + Extension;

    /// <summary>Beside the part's file.</summary>
    public string RollupFileName => Id.ToString("x16", CultureInfo.InvariantCulture) + RollupExtension;

    /// <summary>The file of an id as people write it: hexadecimal, leading zeros and the extension may be left out.</summary>
    public static string FileNameOf(string id) =>
        (id.EndsWith(Extension, StringComparison.Ordinal) ? id[..^Extension.Length] : id).ToLowerInvariant().PadLeft(16, '0') + Extension;

    /// <summary>False when the name is not that of a part.</summary>
    public static bool TryParseId(string fileName, out long id)
    {
        id = 0;
        return fileName.Length == 16 + Extension.Length && fileName.EndsWith(Extension, StringComparison.Ordinal)
            && long.TryParse(fileName.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out id) && id > 0;
    }
}
