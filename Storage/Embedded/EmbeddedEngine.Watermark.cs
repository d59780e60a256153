namespace Apm.Storage.Embedded;

/// <summary>Refuses new data before the disk is full, so that what was accepted can be sealed.</summary>
internal sealed partial class EmbeddedEngine
{
    /// <summary>Room that must be free above the watermark before new data is taken again, as a share of it: a tenth, so that it does not go to and fro.</summary>
    private const int HysteresisShare = 10;

    private volatile string? _refusal;

    /// <summary>Why new data is refused now; null when it is not. Any thread.</summary>
    public string? Refusal => _refusal;

    /// <summary>Free bytes below which new data is refused, and which a merge leaves.</summary>
    private long WatermarkBytes => Math.Max(_options.MinFreeBytes, (long)Math.Min(_folder.TotalBytes / 100.0 * _options.MinFreePercent, long.MaxValue / 2));

    private void WatchDisk()
    {
        try
        {
            var (free, watermark) = (_folder.FreeBytes, WatermarkBytes);
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
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogFreeUnknown(failure);
        }
    }
}
