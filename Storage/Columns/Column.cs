namespace Apm.Storage.Columns;

/// <summary>A growable array of one fixed-width column. One writer; readable from any thread once the batch is handed on.</summary>
public sealed class Column<T>
    where T : unmanaged
{
    private T[] _values = [];

    public int Count { get; private set; }

    public int CapacityCount => _values.Length;

    public ReadOnlySpan<T> Values => _values.AsSpan(0, Count);

    /// <summary>The values where a span cannot be kept; valid for the rows there are now.</summary>
    public ReadOnlyMemory<T> Memory => _values.AsMemory(0, Count);

    /// <summary>The values, and room behind them, for loops that read many batches in turn. Not to be written to.</summary>
    internal T[] Array => _values;

    public T this[int row] => Values[row];

    public void Add(T value)
    {
        if (Count == _values.Length)
        {
            System.Array.Resize(ref _values, Math.Max(16, Count * 2));
        }
        _values[Count++] = value;
    }

    /// <summary>Takes back the last <see cref="Add"/>.</summary>
    internal void RemoveLast() => Count--;
}
