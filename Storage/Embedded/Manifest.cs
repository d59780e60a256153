using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded;

/// <summary>
/// The list of parts, and the buffer positions they cover: an append-only file of checksummed edits (FORMAT.md "Manifest") in two copies, each synced before
/// an edit counts, rewritten whole when they have grown long. Used by one thread at a time.
/// </summary>
internal sealed class Manifest : IDisposable
{
    public const string FileName = "manifest";

    /// <summary>The second copy, written after the first: what is damaged in one is read from the other.</summary>
    public const string CopyFileName = "manifest.2";

    public const string TemporaryFileName = "manifest.tmp";

    /// <summary>Edits after which the file is rewritten, when they are also several times the parts: bounds the time to open and the file's size.</summary>
    private const int MaxEdits = 1_000;

    private const int MaxEditsPerPart = 2;

    private readonly IFileSystem _files;
    private readonly string _folder;
    private readonly ManifestState _state;

    /// <summary>Both copies, of the same bytes; empty until the first rewrite.</summary>
    private readonly List<IFile> _copies = [];
    private long _length;
    private int _edits;

    /// <summary>Also after a clean read: a copy may end in a torn edit, and its last sync may have failed.</summary>
    private bool _mustRewrite = true;

    private Manifest(IFileSystem files, string folder, ManifestState state)
    {
        _files = files;
        _folder = folder;
        _state = state;
    }

    /// <summary>By id, ascending.</summary>
    public IReadOnlyCollection<ManifestPart> Parts => _state.Parts.Values;

    public long CoveredSpans => _state.CoveredSpans;

    public long CoveredLogs => _state.CoveredLogs;

    /// <summary>Bytes of all parts ever listed with level 0, and with another.</summary>
    public long SealedBytes => _state.SealedBytes;

    public long MergedBytes => _state.MergedBytes;

    /// <summary>Highest id of any part ever listed.</summary>
    public long LastId => _state.LastId;

    /// <summary>Copies in which something is damaged, by file name.</summary>
    public IReadOnlyDictionary<string, CorruptPartException> DamagedCopies { get; private init; } = new Dictionary<string, CorruptPartException>();

    /// <summary>Set when both copies are damaged: what followed is unknown.</summary>
    public CorruptPartException? Damage { get; private init; }

    /// <summary>
    /// Reads the copy that knows most, or begins an empty manifest. A torn last edit never counted and is dropped; what looks torn in one copy and is whole in
    /// the other was damaged later, and counts.
    /// </summary>
    /// <exception cref="NotSupportedException">A newer version wrote it.</exception>
    public static Manifest Open(IFileSystem files, string folder)
    {
        var damaged = new Dictionary<string, CorruptPartException>();
        ManifestState? best = null;
        CorruptPartException? bestDamage = null;
        foreach (var name in new[] { FileName, CopyFileName })
        {
            var path = folder + "/" + name;
            if (!files.FileExists(path))
            {
                continue;
            }
            var state = new ManifestState();
            var damage = ManifestCodec.Read(files, path, state);
            if (damage is not null)
            {
                damaged.Add(name, damage);
            }
            if (best is null || state.Sequence > best.Sequence || (state.Sequence == best.Sequence && bestDamage is not null))
            {
                (best, bestDamage) = (state, damage);
            }
        }
        return new Manifest(files, folder, best ?? new ManifestState()) { DamagedCopies = damaged, Damage = bestDamage };
    }

    /// <summary>
    /// Makes an edit durable. When it throws, the edit may or may not be on the disk: the files it lists and those it removes must stay until it, or a later
    /// one, was committed: each commit carries what failed before it.
    /// </summary>
    public void Commit(ManifestEdit edit)
    {
        _state.Apply(edit, _state.Sequence + 1);
        if (_mustRewrite || (_edits >= MaxEdits && _edits >= MaxEditsPerPart * _state.Parts.Count))
        {
            Rewrite();
            return;
        }
        _mustRewrite = true;
        var record = ManifestCodec.Encode(edit, _state);
        foreach (var copy in _copies)
        {
            copy.Write(record, _length);
            copy.Sync();
        }
        _length += record.Length;
        _edits++;
        _mustRewrite = false;
    }

    /// <summary>The bytes of a manifest that lists the parts in one edit.</summary>
    public byte[] Of(IEnumerable<ManifestPart> parts, long coveredSpans, long coveredLogs) =>
        ManifestCodec.EncodeFile(new ManifestEdit([.. parts], [], coveredSpans, coveredLogs), _state);

    public void Dispose() => CloseCopies();

    /// <summary>The whole list as one edit in new files, each of which takes the place of the old one at once.</summary>
    private void Rewrite()
    {
        _mustRewrite = true;
        CloseCopies();
        var content = Of(_state.Parts.Values, CoveredSpans, CoveredLogs);
        var temporary = _folder + "/" + TemporaryFileName;
        foreach (var name in new[] { FileName, CopyFileName })
        {
            _files.Delete(temporary);
            using (var file = _files.Create(temporary))
            {
                file.Write(content, 0);
                file.Sync();
            }
            _files.Rename(temporary, _folder + "/" + name);
            _files.SyncDirectory(_folder);
            _copies.Add(_files.OpenWrite(_folder + "/" + name));
        }
        _length = content.Length;
        _edits = 1;
        _mustRewrite = false;
    }

    private void CloseCopies()
    {
        _copies.ForEach(static copy => copy.Dispose());
        _copies.Clear();
    }
}
