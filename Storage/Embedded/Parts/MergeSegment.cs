namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Rows of one input's block that follow each other in the output too. Packed into 8 bytes: a merge of millions of rows holds hundreds of thousands of them.
/// </summary>
internal readonly record struct MergeSegment
{
    private const int RowBits = 13;
    private const int BlockBits = 30;
    private const ulong RowMask = (1UL << RowBits) - 1;
    private const ulong BlockMask = (1UL << BlockBits) - 1;

    /// <summary>Inputs of one merge that a segment can name.</summary>
    public const int MaxInputs = 1 << (64 - BlockBits - (2 * RowBits));

    private readonly ulong _packed;

    /// <param name="row">First row, in the block.</param>
    /// <param name="rows">1 to <see cref="PartFormat.BlockRows"/>.</param>
    public MergeSegment(int input, int block, int row, int rows) =>
        _packed = ((ulong)input << (BlockBits + (2 * RowBits))) | ((ulong)block << (2 * RowBits)) | ((ulong)row << RowBits) | (uint)(rows - 1);

    public int Input => (int)(_packed >> (BlockBits + (2 * RowBits)));

    /// <summary>Of the input.</summary>
    public int Block => (int)((_packed >> (2 * RowBits)) & BlockMask);

    public int Row => (int)((_packed >> RowBits) & RowMask);

    public int Rows => (int)(_packed & RowMask) + 1;

    public int End => Row + Rows;
}
