using System.Globalization;

namespace Apm.TestKit;

public enum FileOperationKind
{
    CreateDirectory,
    Create,
    Open,
    List,
    Read,
    Write,
    SetLength,
    Sync,
    Rename,
    Delete,
    DeleteDirectory,
    SyncDirectory,
}

/// <summary>One call to a <see cref="MemoryFileSystem"/>. <paramref name="Index"/> counts all of them from 0; <paramref name="Target"/> is a rename's new path.</summary>
public sealed record FileOperation(int Index, FileOperationKind Kind, string Path, string? Target, long Offset, long LengthBytes)
{
    public bool Changes => Kind is not (FileOperationKind.Open or FileOperationKind.List or FileOperationKind.Read);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Index} {Kind} {Path}{(Target is null ? "" : " → " + Target)}{(LengthBytes == 0 ? "" : $" [{Offset}, {Offset + LengthBytes})")}");
}

/// <summary>Faults for <see cref="MemoryFileSystem.Fault"/>.</summary>
public static class FaultPlan
{
    /// <summary>The message of the failures made here.</summary>
    public const string Message = "injected failure";

    /// <summary>Fails the operation of this index, and when asked every one after it.</summary>
    public static Func<FileOperation, Exception?> FailAt(int index, bool andAllAfter = false, Func<FileOperation, Exception>? failure = null) =>
        operation => operation.Index == index || (andAllAfter && operation.Index > index) ? Make(operation, failure) : null;

    /// <summary>Fails every operation of the kind until the fault is taken away.</summary>
    public static Func<FileOperation, Exception?> FailEvery(FileOperationKind kind, Func<FileOperation, Exception>? failure = null) =>
        operation => operation.Kind == kind ? Make(operation, failure) : null;

    /// <summary>Fails the n-th operation (from 0) of the kind, counted from now.</summary>
    public static Func<FileOperation, Exception?> FailNth(FileOperationKind kind, int n, Func<FileOperation, Exception>? failure = null)
    {
        var seen = 0;
        return operation => operation.Kind == kind && seen++ == n ? Make(operation, failure) : null;
    }

    private static Exception Make(FileOperation operation, Func<FileOperation, Exception>? failure) =>
        failure?.Invoke(operation) ?? new IOException($"{Message}: {operation}");
}
