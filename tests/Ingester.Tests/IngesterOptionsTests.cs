namespace Apm.Ingester.Tests;

public sealed class IngesterOptionsTests
{
    [Fact]
    public void Validate_Defaults_AreRight() => Assert.True(new IngesterOptionsValidator().Validate(null, new IngesterOptions()).Succeeded);

    [Fact]
    public void Validate_SeveralWrong_NamesEachKeyItsValueAndWhatIsRight()
    {
        var options = new IngesterOptions { JoinRows = 0, MaxBodyBytes = 5, CommitInterval = TimeSpan.Zero, RetryDelay = TimeSpan.FromSeconds(9), MaxRetryDelay = TimeSpan.FromSeconds(1) };

        Assert.Equal(
            [
                "Ingester:JoinRows is 0, must be 1 to 1048576 rows",
                "Ingester:MaxBodyBytes is 5, must be 1048576 to 1073741824 bytes",
                "Ingester:CommitInterval is 00:00:00, must be 1 ms to 00:01:00",
                "Ingester:MaxRetryDelay is 00:00:01, must be at least RetryDelay (00:00:09)",
            ],
            new IngesterOptionsValidator().Validate(null, options).Failures!);
    }
}
