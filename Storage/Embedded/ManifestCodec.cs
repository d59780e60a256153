using System.Buffers.Binary;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded;

/// <summary>The bytes of a manifest, as FORMAT.md draws them. Writes version 3, reads 1 and 2 too.</summary>
internal static class ManifestCodec
{
    public const ushort Version = 3;

    private const int HeaderBytes = 16;

    /// <summary>Length 4, CRC-32C 4.</summary>
    private const int RecordHeaderBytes = 8;

    /// <summary>Largest edit believed: a rewrite lists every part in one, about 30 bytes each.</summary>
    private const int MaxEditBytes = 64 << 20;

    private static ReadOnlySpan<byte> Magic => "APMMANI\n"u8;

    /// <summary>A file of one edit, which has the sequence, the totals and the last id of the state.</summary>
    public static byte[] EncodeFile(ManifestEdit edit, ManifestState state)
    {
        var content = new ByteWriter();
        content.Bytes(Magic);
        content.Bytes([(byte)Version, Version >> 8, 0, 0]);
        content.UInt32(Crc32C.Compute(content.Written));
        content.Bytes(Encode(edit, state));
        return content.Written.ToArray();
    }

    /// <summary>An edit, likewise.</summary>
    public static ReadOnlySpan<byte> Encode(ManifestEdit edit, ManifestState state)
    {
        var payload = new ByteWriter();
        payload.VarUInt((ulong)state.Sequence);
        payload.VarInt(edit.CoveredSpans);
        payload.VarInt(edit.CoveredLogs);
        payload.VarUInt((ulong)state.SealedBytes);
        payload.VarUInt((ulong)state.MergedBytes);
        payload.VarUInt((ulong)state.LastId);
        payload.VarUInt((ulong)edit.Added.Count);
        foreach (var part in edit.Added)
        {
            payload.VarUInt((ulong)part.Id);
            payload.Byte((byte)part.Signal);
            payload.VarUInt((ulong)part.Level);
            payload.VarUInt((ulong)part.Rows);
            payload.VarUInt((ulong)part.Bytes);
            payload.VarInt(part.SealedUnixSeconds);
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
        return record.Written;
    }

    /// <summary>Applies the edits up to the first that is not whole.</summary>
    /// <returns>The damage, when more edits follow that one; null for a file that is well, or ends in a torn edit.</returns>
    /// <exception cref="NotSupportedException">A newer version wrote it.</exception>
    public static CorruptPartException? Read(IFileSystem files, string path, ManifestState state)
    {
        using var file = files.OpenRead(path);
        var length = file.Length;
        var bytes = new byte[checked((int)length) + ChunkReader.SlackBytes];
        if (file.Read(bytes.AsSpan(0, (int)length), 0) != length)
        {
            return new CorruptPartException(path, 0, "the file is shorter than its length");
        }
        if (length < HeaderBytes || !bytes.AsSpan(0, 8).SequenceEqual(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(12)) != Crc32C.Compute(bytes.AsSpan(0, 12)))
        {
            return new CorruptPartException(path, 0, "the header does not match its checksum");
        }
        var version = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8));
        if (version is 0 or > Version)
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
                return AnyEditFollows(bytes.AsSpan(0, (int)length), offset + 1)
                    ? new CorruptPartException(path, offset, "the checksum of an edit does not match, and more follow it")
                    : null;
            }
            try
            {
                var reader = new ChunkReader(bytes.AsSpan(offset + RecordHeaderBytes), (int)size, path, offset);
                Decode(ref reader, version, state);
            }
            catch (CorruptPartException damage)
            {
                return damage;
            }
            offset = (int)end;
            state.WholeBytes = offset;
        }
        return null;
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

    private static void Decode(ref ChunkReader reader, int version, ManifestState state)
    {
        var sequence = version == 1 ? state.Sequence + 1 : (long)reader.VarUInt();
        var spans = reader.VarInt();
        var logs = reader.VarInt();
        var sealedBytes = version == 1 ? -1 : (long)reader.VarUInt();
        var mergedBytes = version == 1 ? -1 : (long)reader.VarUInt();
        var lastId = version < 3 ? 0 : (long)reader.VarUInt();
        var added = new ManifestPart[reader.Count(reader.Remaining)];
        for (var i = 0; i < added.Length; i++)
        {
            added[i] = new ManifestPart(
                (long)reader.VarUInt(), (Signal)reader.Byte(), reader.Count(byte.MaxValue), (long)reader.VarUInt(), (long)reader.VarUInt(), version == 1 ? 0 : reader.VarInt());
        }
        var removed = new long[reader.Count(reader.Remaining)];
        for (var i = 0; i < removed.Length; i++)
        {
            removed[i] = (long)reader.VarUInt();
        }
        reader.ExpectEnd();
        state.Apply(new ManifestEdit(added, removed, spans, logs), sequence);
        if (version > 1)
        {
            (state.SealedBytes, state.MergedBytes) = (sealedBytes, mergedBytes);
        }
        state.LastId = Math.Max(state.LastId, lastId);
    }
}
