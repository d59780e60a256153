using Apm.DurableBuffer.Embedded;
using Apm.TestKit;
using static Apm.DurableBuffer.Tests.Embedded.BufferHarness;

namespace Apm.DurableBuffer.Tests.Embedded;

public sealed class CrashTests
{
    /// <summary>What a run knows: what was acknowledged with which id, and what storage holds.</summary>
    private sealed class Ledger
    {
        public List<int> Acknowledged { get; } = [];

        public List<int> Unknown { get; } = [];

        public SortedDictionary<long, int> Stored { get; } = [];

        public long Covered { get; set; }

        public int NextId { get; set; } = 1;

        public void Read(EmbeddedBuffer buffer, int most)
        {
            while (most-- > 0 && buffer.TryRead() is { } batch)
            {
                using (batch)
                {
                    Assert.True(batch.Position > Covered, $"position {batch.Position} was committed");
                    Stored[batch.Position] = IdOf(batch);
                }
            }
        }

        public async Task CommitAsync(EmbeddedBuffer buffer)
        {
            Covered = Math.Max(Covered, Stored.Count == 0 ? 0 : Stored.Keys.Last());
            await buffer.CommitAsync(Covered);
        }

        /// <summary>What was read but not covered is forgotten by the crash, as a store's memory is.</summary>
        public void Crash()
        {
            foreach (var position in Stored.Keys.Where(position => position > Covered).ToList())
            {
                Stored.Remove(position);
            }
        }

        public async Task AppendAsync(EmbeddedBuffer buffer, int lengthBytes)
        {
            var id = NextId++;
            try
            {
                await buffer.AppendAsync(id, lengthBytes);
                Acknowledged.Add(id);
            }
            catch (BufferFullException)
            {
                Unknown.Add(id);
            }
        }

        public void Check()
        {
            var ids = Stored.Values.ToList();
            Assert.Equal(ids.Distinct(), ids);
            Assert.Empty(Acknowledged.Except(ids));
            Assert.Empty(ids.Except(Acknowledged).Except(Unknown));
            Assert.Equal(ids.Order(), ids);
        }
    }

    private static async Task ScriptAsync(EmbeddedBuffer buffer, Ledger ledger)
    {
        for (var step = 0; step < 24; step++)
        {
            await ledger.AppendAsync(buffer, 100 + (step * 397 % 6000));
            if (step % 5 == 4)
            {
                ledger.Read(buffer, 4);
            }
            if (step % 7 == 6)
            {
                await ledger.CommitAsync(buffer);
            }
        }
    }

    [Theory]
    [InlineData(false, CrashKeeps.SyncedOnly, 0.0)]
    [InlineData(false, CrashKeeps.Everything, 0.5)]
    [InlineData(true, CrashKeeps.SyncedOnly, 0.5)]
    [InlineData(true, CrashKeeps.Everything, 1.0)]
    public async Task AnyOperationFails_ThenCrash_EveryAcknowledgedBatchIsThereOnce(bool andAllAfter, CrashKeeps keeps, double tornShare)
    {
        for (var n = 0; ; n++)
        {
            var disk = new MemoryFileSystem { TornWriteShare = tornShare, Fault = FaultPlan.FailAt(n, andAllAfter) };
            var ledger = new Ledger();
            try
            {
                await using var buffer = Open(disk, Options(handOverBytes: 3000));
                await ScriptAsync(buffer, ledger);
            }
            catch (IOException)
            {
                Assert.Empty(ledger.Acknowledged); // the log could not be opened
            }
            var succeeded = disk.OperationCount <= n;
            ledger.Crash();
            await using var reopened = Open(disk.Crash(keeps), covered: ledger.Covered);
            await ledger.AppendAsync(reopened, 50);
            ledger.Read(reopened, int.MaxValue);
            ledger.Check();
            if (succeeded)
            {
                Assert.True(n > 50, $"the script has only {n} operations");
                return;
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task RandomFaultsAndCrashes_EveryAcknowledgedBatchIsThereOnce(int group)
    {
        for (var seed = group * 1000; seed < (group * 1000) + 60; seed++)
        {
            var random = new Random(seed);
            var disk = new MemoryFileSystem();
            var ledger = new Ledger();
            for (var session = 0; session < 5; session++)
            {
                await using var buffer = Open(disk, Options(segmentBytes: 8192 << random.Next(3), handOverBytes: random.Next(5000), spares: random.Next(3)), ledger.Covered);
                disk.TornWriteShare = random.NextDouble();
                disk.Fault = operation => operation.Changes && random.Next(40) == 0 ? new IOException($"injected into {operation}") : null;
                for (var step = random.Next(30); step > 0; step--)
                {
                    await ledger.AppendAsync(buffer, random.Next(4) == 0 ? random.Next(3500) : random.Next(200));
                    if (random.Next(3) == 0)
                    {
                        ledger.Read(buffer, random.Next(6));
                    }
                    if (random.Next(6) == 0)
                    {
                        await ledger.CommitAsync(buffer);
                    }
                }
                disk.Fault = null;
                disk = disk.Crash((CrashKeeps)random.Next(5), random);
                ledger.Crash();
            }
            await using var last = Open(disk, covered: ledger.Covered);
            ledger.Read(last, int.MaxValue);
            ledger.Check();
        }
    }
}
