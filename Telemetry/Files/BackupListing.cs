using System.Globalization;
using System.Text;

namespace Apm.Telemetry.Files;

/// <param name="Path">Where the file was in the data directory.</param>
/// <param name="Stored">Where it is in the backup.</param>
/// <param name="Crc">CRC-32C of all its bytes.</param>
/// <param name="IsSound">False: it was damaged already where it came from.</param>
public sealed record BackupEntry(string Path, string Stored, long Bytes, uint Crc, bool IsSound = true);

/// <summary>What a backup consists of: the file that replaces the one before when the backup is whole (docs/backup.md draws it). Immutable.</summary>
/// <param name="BegunAt">What was acknowledged before is in the backup.</param>
/// <param name="FinishedAt">Null: the first backup into this folder is not finished, and there is nothing to restore.</param>
/// <param name="Program">Version of the program that made it.</param>
public sealed record BackupListing(DateTimeOffset BegunAt, DateTimeOffset? FinishedAt, string Program, IReadOnlyList<BackupEntry> Files)
{
    public const string FileName = "backup.list";

    private const string FirstLine = "apm backup 1";
    private const string NotFinished = "not finished";

    /// <summary>Largest listing believed: a line of 100 bytes for each of a few million files.</summary>
    private const int MaxBytes = 512 << 20;

    /// <summary>Null when the folder holds no backup.</summary>
    /// <exception cref="InvalidDataException">The listing is damaged, or of a newer version.</exception>
    public static BackupListing? Read(IFileSystem files)
    {
        if (!files.FileExists(FileName))
        {
            return null;
        }
        using var file = files.OpenRead(FileName);
        if (file.Length > MaxBytes)
        {
            throw Damaged($"it has {file.Length} bytes");
        }
        var bytes = new byte[file.Length];
        if (file.Read(bytes, 0) != bytes.Length)
        {
            throw Damaged("it ends early");
        }
        return Parse(bytes);
    }

    /// <summary>Puts this listing in the place of the one before, at once.</summary>
    public void Write(IFileSystem files)
    {
        const string temporary = FileName + ".tmp";
        files.Delete(temporary);
        using (var file = files.Create(temporary))
        {
            file.Write(Format(), 0);
            file.Sync();
        }
        files.Rename(temporary, FileName);
        files.SyncDirectory("");
    }

    /// <summary>Whether a path can stand in a listing: no control character in it.</summary>
    public static bool CanList(string path) => !path.Any(char.IsControl);

    private byte[] Format()
    {
        var text = new StringBuilder();
        text.Append(FirstLine).Append('\n');
        text.Append(CultureInfo.InvariantCulture, $"begun\t{BegunAt:O}\nfinished\t{FinishedAt?.ToString("O", CultureInfo.InvariantCulture) ?? NotFinished}\nprogram\t{Program}\n");
        foreach (var entry in Files)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(entry.IsSound ? "file" : "damaged")}\t{entry.Crc:x8}\t{entry.Bytes}\t{entry.Stored}\t{entry.Path}\n");
        }
        var body = Encoding.UTF8.GetBytes(text.ToString());
        return [.. body, .. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"crc32c\t{Crc32C.Compute(body):x8}\n"))];
    }

    private static BackupListing Parse(byte[] bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        var lines = text.Split('\n');
        if (lines[0] != FirstLine)
        {
            throw new InvalidDataException(lines[0].StartsWith("apm backup ", StringComparison.Ordinal)
                ? $"'{FileName}' says '{lines[0]}'; this program reads '{FirstLine}'. Run the version of the program that wrote it, or a newer one."
                : $"'{FileName}' is not the listing of a backup.");
        }
        var end = bytes.AsSpan().LastIndexOf("crc32c\t"u8);
        if (end < 0 || !bytes.AsSpan(end).SequenceEqual(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"crc32c\t{Crc32C.Compute(bytes.AsSpan(0, end)):x8}\n"))))
        {
            throw Damaged("its checksum does not match");
        }
        try
        {
            var files = new List<BackupEntry>(lines.Length);
            foreach (var line in lines[4..^2])
            {
                var cells = line.Split('\t');
                files.Add(new BackupEntry(cells[4], cells[3], long.Parse(cells[2], CultureInfo.InvariantCulture), uint.Parse(cells[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), cells[0] == "file"));
            }
            return new BackupListing(Time(lines[1][6..])!.Value, Time(lines[2][9..]), lines[3][8..], files);
        }
        catch (Exception failure) when (failure is FormatException or IndexOutOfRangeException or ArgumentOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException($"'{FileName}' is not a listing as this program writes it.", failure);
        }
    }

    private static DateTimeOffset? Time(string text) => text == NotFinished ? null : DateTimeOffset.ParseExact(text, "O", CultureInfo.InvariantCulture);

    private static InvalidDataException Damaged(string how) => new($"'{FileName}' is damaged: {how}.");
}
