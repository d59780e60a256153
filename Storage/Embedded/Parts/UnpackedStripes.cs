namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Filters of single blocks, as they are copied by a merge or checked: stripes are read whole, page by page, and the ones used last are held, up to
/// <see cref="MaxBytes"/> together. One thread.
/// </summary>
internal sealed class UnpackedStripes
{
    /// <summary>Two of the largest stripes, four of the usual ones: blocks that are copied come from few inputs in turn.</summary>
    public const int MaxBytes = 2 * FilterStripe.MaxFilterBytes;

    private readonly List<(PartFile File, FilterStripe Stripe, byte[] Filters)> _held = [];

    /// <summary>The block's filter, as small as it can be; empty when no bit is set. Valid until the next call.</summary>
    /// <exception cref="CorruptPartException">A page of the stripe is damaged.</exception>
    public ReadOnlySpan<byte> Get(PartFile file, FilterStripes stripes, int block)
    {
        var stripe = stripes.Of(block);
        if (stripe.BitsLog2 == 0)
        {
            return [];
        }
        var index = _held.FindIndex(held => held.File == file && held.Stripe.Offset == stripe.Offset);
        if (index < 0)
        {
            var size = stripe.Blocks * stripe.FilterBytes;
            while (_held.Count > 0 && size + _held.Sum(held => (long)held.Filters.Length) > MaxBytes)
            {
                _held.RemoveAt(0);
            }
            var filters = new byte[size];
            stripe.Unpack(file, filters);
            _held.Add((file, stripe, filters));
        }
        else if (index < _held.Count - 1)
        {
            var used = _held[index];
            _held.RemoveAt(index);
            _held.Add(used);
        }
        return Fold(_held[^1].Filters.AsSpan((block - stripe.FirstBlock) * stripe.FilterBytes, stripe.FilterBytes));
    }

    /// <summary>Undoes the repetition that made it as large as its neighbours.</summary>
    private static ReadOnlySpan<byte> Fold(ReadOnlySpan<byte> filter)
    {
        while (filter.Length > sizeof(ulong) && filter[..(filter.Length / 2)].SequenceEqual(filter[(filter.Length / 2)..]))
        {
            filter = filter[..(filter.Length / 2)];
        }
        return filter.ContainsAnyExcept((byte)0) ? filter : [];
    }
}
