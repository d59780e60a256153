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
        VerifyManifest(files, folder, findings);
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
                var found = PartVerifier.Verify(source, cancellationToken);
                findings.AddRange(found);
                var rollup = folder + "/" + part.Listed.RollupFileName;
                if (found.Count == 0 && source.Signal == Telemetry.Signal.Traces && files.FileExists(rollup))
                {
                    findings.AddRange(RollupVerifier.Verify(files, rollup, source, part.Listed.Level));
                }
            }
            progress?.Report((i + 1, snapshot.Parts.Count));
        }
        return findings;
    }

    /// <summary>
    /// Damage inside a copy, a copy that is missing, and one that ends in bytes that are no edit while the other goes on: what was torn by a crash is no finding,
    /// as then neither goes on.
    /// </summary>
    private static void VerifyManifest(IFileSystem files, string folder, List<FileFinding> findings)
    {
        // The second copy first: of a running store it is the one behind.
        var copies = new[] { Manifest.CopyFileName, Manifest.FileName }.Select(name => ReadManifest(files, folder + "/" + name)).ToArray();
        for (var i = 0; i < copies.Length; i++)
        {
            var (path, state, length, damage) = copies[i];
            if (damage is not null)
            {
                findings.Add(new FileFinding(path, damage.Offset, damage.Message));
            }
            else if (length > state.WholeBytes && copies[1 - i].State.Sequence > state.Sequence)
            {
                findings.Add(new FileFinding(path, state.WholeBytes, "the last edit is damaged; the other copy has it"));
            }
        }
    }

    private static (string Path, ManifestState State, long Length, CorruptPartException? Damage) ReadManifest(IFileSystem files, string path)
    {
        var state = new ManifestState();
        if (!files.FileExists(path))
        {
            return (path, state, 0, new CorruptPartException(path, 0, "this copy of the manifest is missing"));
        }
        var damage = ManifestCodec.Read(files, path, state);
        using var file = files.OpenRead(path);
        return (path, state, file.Length, damage);
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
