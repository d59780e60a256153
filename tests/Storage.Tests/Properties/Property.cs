using FsCheck;
using FsCheck.Fluent;

namespace Apm.Storage.Tests.Properties;

/// <summary>Runs properties with FsCheck: random cases, and of a failing one the smallest that still fails, with the seed to repeat it.</summary>
internal static class Property
{
    public static void Holds<T>(Gen<T> cases, Func<T, bool> holds, int count = 300) => Prop.ForAll(cases.ToArbitrary(), holds).Check(Config.QuickThrowOnFailure.WithMaxTest(count));

    /// <summary>For arrays, which are made smaller.</summary>
    public static void Holds<T>(Gen<T[]> cases, Func<T[], bool> holds, int count = 300) =>
        Prop.ForAll(Arb.From(cases, Shrunk), holds).Check(Config.QuickThrowOnFailure.WithMaxTest(count));

    private static IEnumerable<T[]> Shrunk<T>(T[] failing)
    {
        for (var size = failing.Length / 2; size > 0; size /= 2)
        {
            for (var start = 0; start + size <= failing.Length; start += size)
            {
                yield return [.. failing[..start], .. failing[(start + size)..]];
            }
        }
    }
}
