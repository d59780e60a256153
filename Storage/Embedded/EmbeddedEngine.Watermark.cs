namespace Apm.Storage.Embedded;

/// <summary>Refuses new data before the disk is full, so that what was accepted can be sealed.</summary>
internal sealed partial class EmbeddedEngine
{
    /// <summary>Room that must be free above the watermark before new data is taken again, as a share of it: a tenth, so that it does not go to and fro.</summary>
    private const int HysteresisShare = 10;

    private volatile string? _refusal;

    /// <summary>As the disk said last.</summary>
    private volatile DiskRoom _diskRoom = new(0, 0);

    /// <summary>Why new data is refused now; null when it is not. Any thread.</summary>
    public string? Refusal => _refusal;

    private sealed record DiskRoom(long FreeBytes, long TotalBytes);

    /// <summary>Free bytes below which new data is refused, and which a merge leaves.</summary>
    private long WatermarkOf(DiskRoom room) => Math.Max(_options.MinFreeBytes, (long)Math.Min(room.TotalBytes / 100.0 * _options.MinFreePercent, long.MaxValue / 2));

    /// <summary>False when the disk does not say it; then it is as it was last.</summary>
    private bool TryReadRoom(out DiskRoom room)
    {
        try
        {
            room = _diskRoom = new DiskRoom(_folder.FreeBytes, _folder.TotalBytes);
            return true;
        }
        catch (IOException failure)
        {
            LogFreeUnknown(failure);
            room = _diskRoom;
            return false;
        }
    }

    private void WatchDisk()
    {
        if (!TryReadRoom(out var room))
        {
            return;
        }
        var (free, watermark) = (room.FreeBytes, WatermarkOf(room));
        if (_refusal is null && free < watermark)
        {
            _refusal = FormattableString.Invariant(
                $"New data is refused: {free >> 20} MiB are free on the data disk, and {watermark >> 20} MiB must stay free (Storage:MinFreeBytes, Storage:MinFreePercent). Free some room, or shorten the retention.");
            LogRefusing(_refusal);
        }
        else if (_refusal is not null && free >= watermark + (watermark / HysteresisShare))
        {
            _refusal = null;
            LogAccepting(free);
        }
    }
}
