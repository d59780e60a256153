using System.Runtime.InteropServices;

namespace Apm.Storage.Embedded;

/// <summary>Threads that give way to those that receive and answer.</summary>
internal static class BackgroundThread
{
    /// <summary>
    /// Linux gives a thread of this nice value about a third of the time that it gives one of nice value 0, when both want a core; all of it when no other does.
    /// </summary>
    private const int NiceValue = 5;

    private const int PrioProcess = 0;

    /// <summary>
    /// Puts the calling thread below normal priority for the rest of its life. <see cref="Thread.Priority"/> alone does nothing on Linux, where a thread's nice
    /// value does; it cannot be raised again without privileges.
    /// </summary>
    public static void LowerCurrent()
    {
        Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
        if (OperatingSystem.IsLinux())
        {
            // 0 is the calling thread. A failure (a sandbox forbids it) leaves the normal priority, with which all works, if less evenly.
            _ = SetPriority(PrioProcess, 0, NiceValue);
        }
    }

    [DllImport("libc", EntryPoint = "setpriority")]
    private static extern int SetPriority(int which, uint who, int priority);
}
