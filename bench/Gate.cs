using System.Globalization;

namespace Apm.Bench;

/// <summary>What a figure is held to: the product promises the limit and aims at the stretch. From the design's table of targets (2 cores, the loader on them).</summary>
/// <param name="AtLeast">More is better; else less is.</param>
internal sealed record Gate(double Limit, double Stretch, bool AtLeast = false)
{
    /// <summary>Spans a second of the ingest-only prototype on the machine that absolute figures were set for.</summary>
    private const double PrototypeSpansPerSecond = 500_000;

    public static Gate CpuPerSpan { get; } = new(6, 4);

    public static Gate AckAt100K { get; } = new(60, 25);

    public static Gate AckAtFullRate { get; } = new(200, 80);

    public static Gate BytesPerSpanSealed { get; } = new(45, 40);

    public static Gate BytesPerSpanMerged { get; } = new(36, 33);

    public static Gate WriteAmplification { get; } = new(3, 3);

    public static Gate PeakResidentMiB { get; } = new(700, 450);

    public static Gate OverloadResidentMiB { get; } = new(1024, 1024);

    public static Gate IdleResidentMiB { get; } = new(150, 100);

    public static Gate TraceWarm { get; } = new(10, 3);

    public static Gate TraceCold { get; } = new(30, 10);

    public static Gate Dashboard { get; } = new(50, 15);

    public static Gate RestartSeconds { get; } = new(5, 2);

    public static Gate LogsPerSecond { get; } = new(300_000, 500_000, AtLeast: true);

    public static Gate CpuPerRecord { get; } = new(6, 4);

    public static Gate BytesPerRecord { get; } = new(45, 38);

    public static Gate RarePhrase { get; } = new(60, 20);

    public static Gate FrequentPhrase { get; } = new(100, 20);

    /// <summary>A share of what the prototype takes; of its usual rate when the run was not told what it takes here and now.</summary>
    public static Gate Ingest(BenchArguments arguments, double share, double stretch)
    {
        var prototype = arguments.PrototypeSpansPerSecond ?? PrototypeSpansPerSecond;
        return new Gate(share * prototype, stretch * prototype, AtLeast: true);
    }

    /// <summary>Newest 20: 10 ms with 10 million spans, 30 ms with 100 million.</summary>
    public static Gate Newest(long spans) => spans <= 20_000_000 ? new(10, 3) : new(30, 10);

    /// <summary>An exact value of an attribute that nearly every span has another of.</summary>
    public static Gate ExactValue { get; } = new(30, 10);

    public static Gate FullScan(long spans) => spans <= 20_000_000 ? new(250, 100) : new(2_000, 1_000);

    public static Gate Text(long spans) => spans <= 20_000_000 ? new(200, 100) : new(2_000, 1_000);

    public bool IsMet(double value) => AtLeast ? value >= Limit : value <= Limit;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(AtLeast ? "≥" : "≤")} {Limit:#,0.##} ({Stretch:#,0.##})");
}
