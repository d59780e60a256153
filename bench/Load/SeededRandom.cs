namespace Apm.Bench;

/// <summary>SplitMix64: the same sequence on every machine, so that runs compare.</summary>
internal struct SeededRandom(ulong seed)
{
    // Mixed, as neighbouring seeds would else give the same sequence, one step apart.
    private ulong _state = Mix(seed + 0xD1B54A32D192ED03UL);

    public ulong Next() => Mix(_state += 0x9E3779B97F4A7C15UL);

    public int Below(int bound) => (int)((Next() >> 33) % (ulong)bound);

    public double Share() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>0 … bound-1, small numbers often (log-uniform).</summary>
    public int Skewed(int bound) => Math.Min(bound - 1, (int)Math.Pow(bound, Share()) - 1);

    public double Normal() => Math.Sqrt(-2 * Math.Log(Share() + 1e-12)) * Math.Cos(2 * Math.PI * Share());

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
