using System.Globalization;
using Apm.Web.Api;

namespace Apm.Web.Pages;

/// <summary>Settings → Storage: what the store holds, what becomes of it, and what somebody should see to.</summary>
public sealed partial class StorageSettings
{
    /// <summary>Days in the table: what one compares at a glance.</summary>
    private const int MostDays = 14;

    /// <summary>Merging keeps up with fewer parts waiting than this; as many are read by each query of their time.</summary>
    private const int ManyWaiting = 64;

    /// <summary>The disk is nearly full from this multiple of the watermark, or this share where there is none.</summary>
    private const double NearWatermark = 2, NearlyFull = 0.9;

    private StorageState? _state;
    private (DateOnly Day, long Rows, long Bytes)[] _days = [];
    private long _largestDay;

    protected override async Task LoadAsync(CancellationToken cancellationToken)
    {
        _state = await Api.StorageAsync(cancellationToken);
        _days = [.. _state.Signals.SelectMany(signal => signal.Days).GroupBy(day => day.Day)
            .Select(day => (day.Key, day.Sum(part => part.Rows), day.Sum(part => part.Bytes))).OrderByDescending(day => day.Key).Take(MostDays)];
        _largestDay = _days.Length == 0 ? 0 : _days.Max(day => day.Bytes);
    }

    private static double Share(long part, long whole) => whole <= 0 ? 0 : (double)part / whole;

    private static double Used(DiskState disk) => disk.TotalBytes <= 0 ? 0 : 1 - Share(disk.FreeBytes, disk.TotalBytes);

    private static string DiskHealth(StorageState state) =>
        state.Disk.Refusal is not null ? "bad"
        : state.Disk.WatermarkBytes > 0 ? (state.Disk.FreeBytes < NearWatermark * state.Disk.WatermarkBytes ? "warn" : "ok")
        : Used(state.Disk) >= NearlyFull ? "warn" : "ok";

    private static string MergeHealth(MergingState merging) => merging.Fault is not null ? "bad" : merging.BacklogParts > ManyWaiting ? "warn" : "ok";

    /// <summary>Bytes of a whole day: the mean of those that are over; today's so far when there is no other.</summary>
    private double? PerDay(StorageState state)
    {
        var today = DateOnly.FromDateTime(Page.Now.UtcDateTime);
        var days = state.Signals.SelectMany(signal => signal.Days).GroupBy(day => day.Day).Select(day => (Day: day.Key, Bytes: day.Sum(part => part.Bytes))).ToArray();
        var over = days.Where(day => day.Day < today).Take(7).ToArray();
        return over.Length > 0 ? over.Average(day => day.Bytes) : days.Length > 0 ? days[0].Bytes : null;
    }

    /// <summary>Days until the disk is at its watermark, when nothing is dropped; null when it is not filling up, or for years.</summary>
    private long? DaysLeft(StorageState state)
    {
        const int soon = 999;
        var today = DateOnly.FromDateTime(Page.Now.UtcDateTime);
        if (PerDay(state) is not (> 0 and var perDay) || state.Signals.Any(signal => signal.Retention is not null) || state.DiskBudgetBytes is not null
            || !state.Signals.Any(signal => signal.Days.Any(day => day.Day < today)))
            return null;
        var days = Math.Max(0, state.Disk.FreeBytes - state.Disk.WatermarkBytes) / perDay;
        return days < soon ? (long)days : null;
    }

    private static long? Oldest(StorageState state) => state.Signals.Min(signal => signal.OldestUnixNano);

    private static StorageDrop? LastDrop(StorageState state) => state.Signals.Select(signal => signal.LastDrop).OfType<StorageDrop>().MaxBy(drop => drop.AtUnixNano);

    private static string PerRow(long bytes, long rows) => rows == 0 ? Format.None : (bytes / (double)rows).ToString("0.0", CultureInfo.InvariantCulture);

    /// <summary>Whole days, or else whole hours, are said as they were set.</summary>
    private string Kept(double? seconds) => seconds switch
    {
        null => T["Settings.ForEver"],
        { } days when days % 86_400 == 0 => T.Count("Settings.Days", (long)days / 86_400),
        { } hours when hours % 3_600 == 0 => T["Shell.Unit.h", Format.Integer((long)hours / 3_600)],
        { } length => Format.Duration(length * 1e9).ToString(),
    };

    private string SignalName(string signal) => T.Has("Settings.Signal." + signal) ? T["Settings.Signal." + signal] : signal;
}
