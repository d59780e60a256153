using System.Buffers;
using Apm.Storage.Columns;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// What the codes of one batch mean in a part being sealed: its resources and scopes, and for its strings where they were met last, so that a string is
/// hashed once a batch and column rather than once a row. Holds pooled memory until it is disposed.
/// </summary>
internal sealed class BatchMap : IDisposable
{
    private readonly ulong[] _keys;
    private readonly ulong[] _values;

    /// <param name="number">Of the batch.</param>
    public BatchMap(int number, ColumnBatch batch)
    {
        Number = number;
        Batch = batch;
        _keys = ArrayPool<ulong>.Shared.Rent(batch.Strings.Count);
        _values = ArrayPool<ulong>.Shared.Rent(batch.Strings.Count);
        _keys.AsSpan(0, batch.Strings.Count).Clear();
        _values.AsSpan(0, batch.Strings.Count).Clear();
    }

    public int Number { get; }

    public ColumnBatch Batch { get; }

    /// <summary>By string code: as a key, what <see cref="Pack"/> made of its scope and its column's number in it; 0 when it was not met.</summary>
    public Span<ulong> Keys => _keys;

    /// <summary>By string code: as a value of type string, what <see cref="Pack"/> made of the column that met it last and its code there; 0 when none did.</summary>
    public Span<ulong> Values => _values;

    /// <param name="owner">Not 0.</param>
    public static ulong Pack(int owner, int code) => ((ulong)(uint)owner << 32) | (uint)code;

    public static bool IsOf(ulong packed, int owner) => (int)(packed >> 32) == owner;

    public void Dispose()
    {
        ArrayPool<ulong>.Shared.Return(_keys);
        ArrayPool<ulong>.Shared.Return(_values);
    }
}
