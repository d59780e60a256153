namespace Apm.Shop;

/// <summary>What can be made to go wrong, by the name used in URLs.</summary>
internal static class Faults
{
    public const string SlowDatabase = "slow-database";
    public const string FailingPayments = "failing-payments";
    public const string NPlusOne = "n-plus-one";
    /// <summary>The story: payments v2.14.0 calls the bank's new endpoint, which hangs for one card network.</summary>
    public const string BankTimeout = "payments-v2.14.0";

    public static readonly IReadOnlyList<(string Name, string Title, string Effect)> All =
    [
        (BankTimeout, "Roll out payments v2.14.0", "payments restarts as v2.14.0, which calls the bank's /v2/authorize: it never answers for card.network = amex, so those checkouts fail after two waits of 2.5 s"),
        (FailingPayments, "Failing payments", "payments refuses 30 % of all charges with an exception"),
        (SlowDatabase, "Slow database", "every query of catalog waits 150 to 600 ms"),
        (NPlusOne, "N+1 queries", "catalog reads the stock of each item from each warehouse one by one instead of with one query"),
    ];
}
