namespace Apm.Storage;

/// <summary>The store is shutting down: the query was ended, or not begun. Another try succeeds once the process has started again.</summary>
public sealed class StoreClosedException() : Exception("the store is shutting down; try again in some seconds");
