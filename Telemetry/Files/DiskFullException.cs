namespace Apm.Telemetry.Files;

/// <summary>There is no room on the disk (ENOSPC, EDQUOT).</summary>
public sealed class DiskFullException(string path, Exception? inner = null)
    : IOException($"No room on the disk to write '{path}'.", inner)
{
    public string Path { get; } = path;
}
