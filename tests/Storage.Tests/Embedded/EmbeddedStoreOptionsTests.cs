using Apm.Storage.Embedded;

namespace Apm.Storage.Tests.Embedded;

public sealed class EmbeddedStoreOptionsTests
{
    [Fact]
    public void Validate_Defaults_AreRight() => Assert.Empty(new EmbeddedStoreOptions().Validate());

    [Fact]
    public void Validate_SeveralWrong_NamesEachWithWhatWouldBeRight() => Assert.Equal(
        [
            "Storage:SealRows is 0; it must be from 1 to 16777216.",
            "Storage:CacheBytes is -1; it must be at least 0.",
            "Storage:SealAge is 00:00:00; it must be from 00:00:01 to 1.00:00:00.",
        ],
        new EmbeddedStoreOptions { SealRows = 0, CacheBytes = -1, SealAge = TimeSpan.Zero }.Validate());
}
