using System.Globalization;

namespace Apm.Telemetry.Files;

/// <summary>Something found wrong in a file, and where.</summary>
/// <param name="File">The path, relative to the root that was looked at.</param>
/// <param name="Offset">Bytes from the file's start.</param>
public sealed record FileFinding(string File, long Offset, string What)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File} at byte {Offset}: {What}");
}
