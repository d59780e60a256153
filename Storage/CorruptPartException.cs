namespace Apm.Storage;

/// <summary>Bytes of a part or manifest are damaged: a checksum does not match, or a length lies.</summary>
public sealed class CorruptPartException(string path, long offset, string message, Exception? inner = null)
    : IOException($"'{path}' is damaged at byte {offset}: {message}", inner)
{
    public string Path { get; } = path;

    public long Offset { get; } = offset;
}
