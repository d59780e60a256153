namespace Apm.Storage.Embedded.Parts;

/// <summary>A chunk of another part whose content is, byte for byte, what is to be written.</summary>
/// <param name="Mask">Of its values, for columns that have one.</param>
internal readonly record struct StoredChunk(PartFile File, ChunkRef Chunk, ulong Mask);
