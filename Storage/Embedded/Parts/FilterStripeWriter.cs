using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Collects the filters of the blocks of a part being written and appends them as stripes. It holds the filters of one stripe, in pooled arrays: at most
/// <see cref="FilterStripe.MaxFilterBytes"/>. A block whose filter would blow the stripe up begins another: no stripe has more than twice the bits that its
/// filters have apart.
/// </summary>
internal sealed class FilterStripeWriter(ChunkWriter chunks)
{
    /// <summary>Size of a stripe at most, in sizes of its filters as they came.</summary>
    private const int MaxGrowth = 2;

    private readonly List<FilterStripe> _stripes = [];
    private readonly List<(byte[] Bytes, int Length)> _filters = [];
    private readonly byte[] _page = new byte[FilterStripe.MaxPageBytes];
    private int _firstBlock;
    private int _bitsLog2;
    private long _bits;
    private int _pageBytes;
    private int _pageNumber;

    /// <summary>All that were written; complete after <see cref="Flush"/>.</summary>
    public IReadOnlyList<FilterStripe> Stripes => _stripes;

    /// <summary>Adds the filter of the next block.</summary>
    /// <param name="filter">A power of two bytes, at least 8; empty when no bit is set.</param>
    public void Add(ReadOnlySpan<byte> filter)
    {
        var bitsLog2 = filter.IsEmpty ? 0 : BitOperations.Log2((uint)filter.Length) + 3;
        var bits = 1L << Math.Max(bitsLog2, FilterStripe.MinBitsLog2);
        if (_filters.Count > 0 && !Fits(bitsLog2, bits))
        {
            Flush();
        }
        var copy = ArrayPool<byte>.Shared.Rent(Math.Max(filter.Length, sizeof(ulong)));
        copy.AsSpan(0, sizeof(ulong)).Clear();
        filter.CopyTo(copy);
        _filters.Add((copy, Math.Max(filter.Length, sizeof(ulong))));
        _bitsLog2 = Math.Max(_bitsLog2, bitsLog2);
        _bits += bits;
    }

    /// <summary>Ends the stripe.</summary>
    public void Flush()
    {
        if (_filters.Count == 0)
        {
            return;
        }
        var stripe = new FilterStripe(_firstBlock, _filters.Count, _bitsLog2, chunks.Offset);
        _stripes.Add(stripe);
        if (_bitsLog2 > 0)
        {
            Write(stripe);
        }
        foreach (var (bytes, _) in _filters)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
        _filters.Clear();
        _firstBlock = stripe.EndBlock;
        (_bitsLog2, _bits) = (0, 0);
    }

    private bool Fits(int bitsLog2, long bits)
    {
        var all = (_filters.Count + 1L) << Math.Max(_bitsLog2, bitsLog2);
        return _filters.Count < FilterStripe.MaxBlocks && all <= MaxGrowth * (_bits + bits) && all <= FilterStripe.MaxFilterBytes * 8L;
    }

    private void Write(in FilterStripe stripe)
    {
        Span<ulong> words = stackalloc ulong[FilterStripe.MaxBlocks];
        words.Clear();
        Span<byte> rows = stackalloc byte[FilterStripe.MaxBlocks / 8 * BitMatrix.Rows];
        rows = rows[..(stripe.WidthBits * BitMatrix.Rows / 8)];
        (_pageBytes, _pageNumber) = (0, 0);
        for (var at = 0; at < stripe.FilterBytes; at += sizeof(ulong))
        {
            for (var block = 0; block < _filters.Count; block++)
            {
                // A smaller filter is repeated up to the stripe's size.
                var (bytes, length) = _filters[block];
                words[block] = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at & (length - 1)));
            }
            BitMatrix.ToRows(words, stripe.WidthBits, rows);
            AddRows(rows, stripe.PageRowBytes);
        }
        EndPage();
    }

    private void AddRows(ReadOnlySpan<byte> rows, int pageRowBytes)
    {
        while (!rows.IsEmpty)
        {
            var some = Math.Min(rows.Length, pageRowBytes - _pageBytes);
            rows[..some].CopyTo(_page.AsSpan(_pageBytes));
            _pageBytes += some;
            rows = rows[some..];
            if (_pageBytes == pageRowBytes)
            {
                EndPage();
            }
        }
    }

    private void EndPage()
    {
        if (_pageBytes == 0)
        {
            return;
        }
        BinaryPrimitives.WriteUInt32LittleEndian(_page.AsSpan(_pageBytes), ChecksumOf(_page.AsSpan(0, _pageBytes), _pageNumber++));
        chunks.Write(_page.AsSpan(0, _pageBytes + FilterStripe.ChecksumBytes));
        _pageBytes = 0;
    }

    /// <summary>Of a page's rows and its number, so that a page in another's place is seen.</summary>
    public static uint ChecksumOf(ReadOnlySpan<byte> rows, int number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        return Crc32C.Append(Crc32C.Compute(rows), bytes);
    }
}
