using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Apm.Telemetry.Files;

/// <summary>System calls that .NET has no method for. Linux and macOS; Windows goes through .NET.</summary>
internal static class NativeDisk
{
    private const int Interrupted = 4;
    private const int InvalidArgument = 22;
    private const int NoSpace = 28;
    private const int QuotaLinux = 122;
    private const int QuotaMac = 69;
    private const int NotSupportedLinux = 95;
    private const int NoSystemCall = 38;
    private const int CloseOnExecLinux = 0x80000;
    private const int CloseOnExecMac = 0x1000000;
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <summary>Whether the failure means that there is no room: ENOSPC or EDQUOT.</summary>
    public static bool IsDiskFull(IOException failure) => OperatingSystem.IsWindows()
        ? failure.HResult is WindowsDiskFull or WindowsHandleDiskFull
        : IsDiskFull(failure.HResult);

    /// <summary>Data and length to the disk.</summary>
    public static void SyncData(SafeFileHandle handle, string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(handle); // F_FULLFSYNC on macOS, FlushFileBuffers on Windows
            return;
        }
        while (fdatasync(handle) != 0)
        {
            ThrowUnlessInterrupted("sync", path);
        }
    }

    /// <summary>Creations, renames and deletions in the directory to the disk. Windows writes them through with the file and has no such call.</summary>
    public static void SyncDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        var closeOnExec = OperatingSystem.IsLinux() ? CloseOnExecLinux : CloseOnExecMac;
        int descriptor;
        while ((descriptor = open(path, closeOnExec)) < 0)
        {
            ThrowUnlessInterrupted("open", path);
        }
        try
        {
            while (fsync(descriptor) != 0)
            {
                if (Marshal.GetLastPInvokeError() == InvalidArgument)
                {
                    return; // a file system without directory fsync (some network and FUSE ones)
                }
                ThrowUnlessInterrupted("sync", path);
            }
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    /// <summary>Reserves the bytes on the disk, so that writing them later cannot find it full. False where the file system cannot.</summary>
    public static bool TryAllocate(SafeFileHandle handle, long offset, long lengthBytes, string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }
        while (fallocate(handle, 0, offset, lengthBytes) != 0)
        {
            if (Marshal.GetLastPInvokeError() is NotSupportedLinux or NoSystemCall or InvalidArgument)
            {
                return false;
            }
            ThrowUnlessInterrupted("allocate", path);
        }
        return true;
    }

    private static bool IsDiskFull(int error) => error is NoSpace || error == (OperatingSystem.IsMacOS() ? QuotaMac : QuotaLinux);

    private static void ThrowUnlessInterrupted(string action, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        if (error == Interrupted)
        {
            return;
        }
        var failure = new IOException($"Cannot {action} '{path}': {Marshal.GetPInvokeErrorMessage(error)} (error {error}).", error);
        throw IsDiskFull(error) ? new DiskFullException(path, failure) : failure;
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int fdatasync(SafeFileHandle file);

    [DllImport("libc", SetLastError = true)]
    private static extern int fallocate(SafeFileHandle file, int mode, long offset, long length);

    [DllImport("libc", SetLastError = true)]
    private static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int fsync(int descriptor);

    [DllImport("libc", SetLastError = true)]
    private static extern int close(int descriptor);
}
