using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Tools;

/// <summary>Checks everything in a store's folder against everything else. Reads only; the process that owns the store may run.</summary>
public static class StoreVerification
{
    /// <param name="progress">Told the number of parts checked and of all.</param>
    /// <returns>What is wrong; nothing when all is well.</returns>
    /// <exception cref="FileNotFoundException">There is no store in the folder.</exception>
    /// <exception cref="NotSupportedException">A newer version of the program wrote the manifest.</exception>
    public static IReadOnlyList<FileFinding> Run(IFileSystem files, string folder, IProgress<(int Checked, int All)>? progress, CancellationToken cancellationToken)
    {
        using var snapshot = StoreSnapshot.Open(files, folder);
        var findings = new List<FileFinding>();
        if (snapshot.Manifest.Damage is { } damage)
        {
            findings.Add(new FileFinding(damage.Path, damage.Offset, damage.Message));
        }
        for (var i = 0; i < snapshot.Parts.Count; i++)
        {
            var part = snapshot.Parts[i];
            if (part.Finding is { } finding)
            {
                findings.Add(finding);
            }
            if (part.Source is { } source)
            {
                findings.AddRange(MatchManifest(part.Listed, source));
                findings.AddRange(PartVerifier.Verify(source, cancellationToken));
            }
            progress?.Report((i + 1, snapshot.Parts.Count));
        }
        return findings;
    }

    private static IEnumerable<FileFinding> MatchManifest(ManifestPart listed, Parts.PartSource part)
    {
        if (listed.Signal != part.Signal || listed.Rows != part.RowCount || listed.Bytes != part.File.SizeBytes)
        {
            yield return new FileFinding(part.File.Path, 0,
                $"the manifest lists {listed.Rows} rows of {listed.Signal} in {listed.Bytes} bytes, the part has {part.RowCount} of {part.Signal} in {part.File.SizeBytes}");
        }
    }
}
