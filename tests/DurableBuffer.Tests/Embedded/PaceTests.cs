using Apm.DurableBuffer.Embedded;
using Apm.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Apm.DurableBuffer.Tests.Embedded;

public sealed class PaceTests
{
    private readonly FakeTimeProvider _time = new();

    private EmbeddedBuffer Open(long paceBytes)
    {
        var options = BufferHarness.Options();
        options.PaceBytes = paceBytes;
        return EmbeddedBuffer.Open(new MemoryFileSystem(), BufferHarness.LogDirectory, options, 0, _time, NullLogger<EmbeddedBuffer>.Instance);
    }

    private static async Task DurableAsync(EmbeddedBuffer buffer, long position)
    {
        while (buffer.Status.AppendedPosition < position)
        {
            await Task.Yield();
        }
    }

    [Fact]
    public async Task Append_ReaderFarBehind_IsAcknowledgedWhenItHasComeNearer()
    {
        await using var buffer = Open(paceBytes: 60);
        await buffer.AppendAsync(1);
        var held = buffer.AppendAsync(2);
        await DurableAsync(buffer, 2);
        Assert.False(held.IsCompleted);
        Assert.Equal([(1L, 1), (2L, 2)], buffer.ReadAll());
        await held;
    }

    [Fact]
    public async Task Append_ReaderStandsStill_IsAcknowledgedAfterASecond()
    {
        await using var buffer = Open(paceBytes: 0);
        var held = buffer.AppendAsync(1);
        await DurableAsync(buffer, 1);
        while (!held.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100)); // the hold may begin only after the first steps
            await Task.Yield();
        }
        await held;
        Assert.True(_time.GetUtcNow() - _time.Start >= TimeSpan.FromSeconds(1));
        Assert.Equal([(1L, 1)], buffer.ReadAll());
    }

    [Fact]
    public async Task Dispose_WithHeldAcknowledgements_ReleasesThem()
    {
        var buffer = Open(paceBytes: 0);
        var held = buffer.AppendAsync(1);
        await DurableAsync(buffer, 1);
        await buffer.DisposeAsync();
        await held;
    }
}
