using System.Runtime.CompilerServices;

namespace Apm.Storage.Columns;

/// <summary>A growable array of one fixed-width column. One writer; readable from any thread once the batch is handed on.</summary>
public sealed class Column<T>
    where T : unmanaged
{
    private T[] _values = [];
    private int _expected;

    public int Count { get; private set; }

    public int CapacityCount => _values.Length;

    public ReadOnlySpan<T> Values => _values.AsSpan(0, Count);

    /// <summary>The values where a span cannot be kept; valid for the rows there are now.</summary>
    public ReadOnlyMemory<T> Memory => _values.AsMemory(0, Count);

    /// <summary>The values, and room behind them, for loops that read many batches in turn. Only the batch's writer writes to it.</summary>
    internal T[] Array => _values;

    public T this[int row] => Values[row];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(T value)
    {
        var values = _values;
        var count = Count;
        if ((uint)count >= (uint)values.Length)
        {
            AddGrowing(value);
            return;
        }
        values[count] = value;
        Count = count + 1;
    }

    /// <summary>Takes back the last <see cref="Add"/>.</summary>
    internal void RemoveLast() => Count--;

    /// <summary>Takes back the values added last.</summary>
    /// <param name="count">Values that stay.</param>
    internal void Truncate(int count) => Count = Math.Min(Count, count);

    /// <summary>Says that the column will hold about so many values: when it grows, it grows to that.</summary>
    internal void Expect(int count) => _expected = count;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AddGrowing(T value)
    {
        ArrayGrowth.Grow(ref _values, Count, _expected);
        _values[Count++] = value;
    }
}
