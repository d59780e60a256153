using System.Numerics;

namespace Apm.Storage.Embedded.Parts;

/// <summary>The shape of every row of every input, as small as the number of shapes allows: each value column of the output asks for them again.</summary>
internal abstract class MergeRowShapes
{
    public static MergeRowShapes Create(MergeInput[] inputs, int shapes) => shapes switch
    {
        <= byte.MaxValue + 1 => new Of<byte>(inputs),
        <= ushort.MaxValue + 1 => new Of<ushort>(inputs),
        _ => new Of<int>(inputs),
    };

    public abstract void Set(int input, int row, ReadOnlySpan<int> shapes);

    public abstract void Copy(int input, int row, Span<int> shapes);

    /// <summary>Adds up a number of each shape over rows that follow each other.</summary>
    /// <param name="row">First, of the input.</param>
    public abstract int Sum(int input, int row, int rows, int[] numbers);

    private sealed class Of<T>(MergeInput[] inputs) : MergeRowShapes
        where T : unmanaged, IBinaryInteger<T>
    {
        private readonly T[][] _shapes = [.. inputs.Select(input => new T[input.Rows])];

        public override void Set(int input, int row, ReadOnlySpan<int> shapes)
        {
            var target = _shapes[input].AsSpan(row, shapes.Length);
            for (var i = 0; i < shapes.Length; i++)
            {
                target[i] = T.CreateTruncating(shapes[i]);
            }
        }

        public override void Copy(int input, int row, Span<int> shapes)
        {
            var source = _shapes[input].AsSpan(row, shapes.Length);
            for (var i = 0; i < shapes.Length; i++)
            {
                shapes[i] = int.CreateTruncating(source[i]);
            }
        }

        public override int Sum(int input, int row, int rows, int[] numbers)
        {
            var sum = 0;
            foreach (var shape in _shapes[input].AsSpan(row, rows))
            {
                sum += numbers[int.CreateTruncating(shape)];
            }
            return sum;
        }
    }
}
