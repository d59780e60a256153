using System.Buffers.Binary;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded;

/// <summary>What one edit adds, removes and covers.</summary>
internal sealed record ManifestEdit(IReadOnlyList<ManifestPart> Added, IReadOnlyList<long> Removed, long CoveredSpans, long CoveredLogs);

/// <summary>
/// The list of parts, and the buffer positions they cover: an append-only file of checksummed edits (FORMAT.md "Manifest"), each synced before it counts,
/// rewritten whole when it has grown long. Used by one thread at a time.
/// </summary>
internal sealed class Manifest : IDisposable
{
    public const string FileName = "manifest";

    public const string TemporaryFileName = "manifest.tmp";

    public const ushort Version = 1;

    private const int HeaderBytes = 16;

    /// <summary>Length 4, CRC-32C 4.</summary>
    private const int RecordHeaderBytes = 8;

    /// <summary>Largest edit believed: a rewrite lists every part in one, about 30 bytes each.</summary>
    private const int MaxEditBytes = 64 << 20;

    /// <summary>Edits after which the file is rewritten, when they are also several times the parts: bounds the time to open and the file's size.</summary>
    private const int MaxEdits = 1_000;

    private const int MaxEditsPerPart = 2;

    private readonly IFileSystem _files;
    private readonly string _folder;
    private readonly SortedDictionary<long, ManifestPart> _parts = [];
    private IFile? _file;
    private long _length;
    private int _edits;
    private bool _mustRewrite;

    private Manifest(IFileSystem files, string folder)
    {
        _files = files;
        _folder = folder;
    }

    private static ReadOnlySpan<byte> Magic => "APMMANI\n"u8;

    /// <summary>By id, ascending.</summary>
    public IReadOnlyCollection<ManifestPart> Parts => _parts.Values;

    public long CoveredSpans { get; private set; }

    public long CoveredLogs { get; private set; }

    /// <summary>Set when an edit that is not the last one is damaged: what followed it is unknown.</summary>
    public CorruptPartException? Damage { get; private set; }

    /// <summary>Reads the manifest, or begins an empty one. A torn last edit never counted and is dropped.</summary>
    /// <exception cref="NotSupportedException">A newer version wrote it.</exception>
    public static Manifest Open(IFileSystem files, string folder)
    {
        var manifest = new Manifest(files, folder);
        var path = folder + "/" + FileName;
        if (files.FileExists(path))
        {
            manifest.Read(path);
        }
        // Also after a clean read: the file may end in a torn edit, and its last sync may have failed.
        manifest._mustRewrite = true;
        return manifest;
    }

    /// <summary>
    /// Makes an edit durable. When it throws, the edit may or may not be on the disk: the files it lists must stay, and the same edit must be committed again
    /// before any other.
    /// </summary>
    public void Commit(ManifestEdit edit)
    {
        Apply(edit);
        if (_mustRewrite || (_edits >= MaxEdits && _edits >= MaxEditsPerPart * _parts.Count))
        {
            Rewrite();
            return;
        }
        _mustRewrite = true;
        var record = Encode(edit);
        _file!.Write(record.Written, _length);
        _file.Sync();
        _length += record.Length;
        _edits++;
        _mustRewrite = false;
    }

    public void Dispose() => _file?.Dispose();

    private void Apply(ManifestEdit edit)
    {
        foreach (var part in edit.Added)
        {
            _parts[part.Id] = part;
        }
        foreach (var id in edit.Removed)
        {
            _parts.Remove(id);
        }
        CoveredSpans = Math.Max(CoveredSpans, edit.CoveredSpans);
        CoveredLogs = Math.Max(CoveredLogs, edit.CoveredLogs);
    }

    /// <summary>The whole list as one edit in a new file, which takes the place of the old one at once.</summary>
    private void Rewrite()
    {
        _mustRewrite = true;
        _file?.Dispose();
        _file = null;
        var temporary = _folder + "/" + TemporaryFileName;
        var path = _folder + "/" + FileName;
        _files.Delete(temporary);
        using (var file = _files.Create(temporary))
        {
            var content = Of(_parts.Values, CoveredSpans, CoveredLogs);
            file.Write(content, 0);
            file.Sync();
            _length = content.Length;
        }
        _files.Rename(temporary, path);
        _files.SyncDirectory(_folder);
        _file = _files.OpenWrite(path);
        _edits = 1;
        _mustRewrite = false;
    }

    /// <summary>The bytes of a manifest that lists the parts in one edit.</summary>
    public static byte[] Of(IEnumerable<ManifestPart> parts, long coveredSpans, long coveredLogs)
    {
        var content = new ByteWriter();
        content.Bytes(Magic);
        content.Bytes([(byte)Version, Version >> 8, 0, 0]);
        content.UInt32(Crc32C.Compute(content.Written));
        content.Bytes(Encode(new ManifestEdit([.. parts], [], coveredSpans, coveredLogs)).Written);
        return content.Written.ToArray();
    }

    private static ByteWriter Encode(ManifestEdit edit)
    {
        var payload = new ByteWriter();
        payload.VarInt(edit.CoveredSpans);
        payload.VarInt(edit.CoveredLogs);
        payload.VarUInt((ulong)edit.Added.Count);
        foreach (var part in edit.Added)
        {
            payload.VarUInt((ulong)part.Id);
            payload.Byte((byte)part.Signal);
            payload.VarUInt((ulong)part.Level);
            payload.VarUInt((ulong)part.Rows);
            payload.VarUInt((ulong)part.Bytes);
        }
        payload.VarUInt((ulong)edit.Removed.Count);
        foreach (var id in edit.Removed)
        {
            payload.VarUInt((ulong)id);
        }
        var record = new ByteWriter();
        record.UInt32((uint)payload.Length);
        record.UInt32(Crc32C.Compute(payload.Written));
        record.Bytes(payload.Written);
        return record;
    }

    private void Read(string path)
    {
        using var file = _files.OpenRead(path);
        var length = file.Length;
        var bytes = new byte[checked((int)length) + ChunkReader.SlackBytes];
        if (file.Read(bytes.AsSpan(0, (int)length), 0) != length)
        {
            throw new CorruptPartException(path, 0, "the file is shorter than its length");
        }
        if (length < HeaderBytes || !bytes.AsSpan(0, 8).SequenceEqual(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(12)) != Crc32C.Compute(bytes.AsSpan(0, 12)))
        {
            Damage = new CorruptPartException(path, 0, "the header does not match its checksum");
            return;
        }
        var version = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8));
        if (version != Version)
        {
            throw new NotSupportedException(
                $"'{path}' has format version {version}; this program reads version {Version}. Run the version of the program that wrote it, or a newer one.");
        }
        var offset = HeaderBytes;
        while (length - offset >= RecordHeaderBytes)
        {
            var size = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));
            var end = offset + RecordHeaderBytes + (long)size;
            var fits = size is > 0 and <= MaxEditBytes && end <= length;
            if (!fits || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset + 4)) != Crc32C.Compute(bytes.AsSpan(offset + RecordHeaderBytes, (int)size)))
            {
                // Each edit is synced before the next begins, so only the last one can be torn.
                Damage = AnyEditFollows(bytes.AsSpan(0, (int)length), offset + 1)
                    ? new CorruptPartException(path, offset, "the checksum of an edit does not match, and more follow it")
                    : null;
                return;
            }
            var reader = new ChunkReader(bytes.AsSpan(offset + RecordHeaderBytes), (int)size, path, offset);
            Apply(Decode(ref reader));
            offset = (int)end;
        }
    }

    private static bool AnyEditFollows(ReadOnlySpan<byte> bytes, int start)
    {
        for (var offset = start; bytes.Length - offset > RecordHeaderBytes; offset++)
        {
            var size = BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);
            if (size > 0 && size <= bytes.Length - offset - RecordHeaderBytes
                && BinaryPrimitives.ReadUInt32LittleEndian(bytes[(offset + 4)..]) == Crc32C.Compute(bytes.Slice(offset + RecordHeaderBytes, (int)size)))
            {
                return true;
            }
        }
        return false;
    }

    private static ManifestEdit Decode(ref ChunkReader reader)
    {
        var spans = reader.VarInt();
        var logs = reader.VarInt();
        var added = new ManifestPart[reader.Count(reader.Remaining)];
        for (var i = 0; i < added.Length; i++)
        {
            added[i] = new ManifestPart((long)reader.VarUInt(), (Signal)reader.Byte(), reader.Count(byte.MaxValue), (long)reader.VarUInt(), (long)reader.VarUInt());
        }
        var removed = new long[reader.Count(reader.Remaining)];
        for (var i = 0; i < removed.Length; i++)
        {
            removed[i] = (long)reader.VarUInt();
        }
        reader.ExpectEnd();
        return new ManifestEdit(added, removed, spans, logs);
    }
}
