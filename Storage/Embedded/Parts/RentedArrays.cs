using System.Buffers;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Arrays and chunks lent to one block, given back together. One thread.</summary>
internal sealed class RentedArrays : IDisposable
{
    private readonly Rented<int> _ints = new();
    private readonly Rented<long> _longs = new();
    private readonly Rented<ulong> _words = new();
    private readonly Rented<byte> _bytes = new();
    private readonly Rented<SpanId> _spanIds = new();
    private readonly Rented<TraceId> _traceIds = new();
    private readonly List<RentedChunk> _chunks = [];

    /// <summary>At least as long as asked for; its content is undefined.</summary>
    public int[] Ints(int count) => _ints.Rent(count);

    public long[] Longs(int count) => _longs.Rent(count);

    public ulong[] Words(int count) => _words.Rent(count);

    public byte[] Bytes(int count) => _bytes.Rent(count);

    public SpanId[] SpanIds(int count) => _spanIds.Rent(count);

    public TraceId[] TraceIds(int count) => _traceIds.Rent(count);

    public void Keep(RentedChunk chunk) => _chunks.Add(chunk);

    public void Dispose()
    {
        _ints.GiveBack();
        _longs.GiveBack();
        _words.GiveBack();
        _bytes.GiveBack();
        _spanIds.GiveBack();
        _traceIds.GiveBack();
        foreach (var chunk in _chunks)
        {
            chunk.Dispose();
        }
        _chunks.Clear();
    }

    private sealed class Rented<T>
    {
        private T[][] _arrays = [];
        private int _count;

        public T[] Rent(int count)
        {
            if (_count == _arrays.Length)
            {
                Array.Resize(ref _arrays, Math.Max(4, _count * 2));
            }
            return _arrays[_count++] = ArrayPool<T>.Shared.Rent(count);
        }

        public void GiveBack()
        {
            for (; _count > 0; _count--)
            {
                ArrayPool<T>.Shared.Return(_arrays[_count - 1]);
            }
        }
    }
}
