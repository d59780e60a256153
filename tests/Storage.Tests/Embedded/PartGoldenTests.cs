using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.TestKit;

namespace Apm.Storage.Tests.Embedded;

/// <summary>Every byte of a small part, named: a change of the format shows as a change of tiny.part.txt, and must come with FORMAT.md and the version.</summary>
public sealed class PartGoldenTests
{
    private const string Path = "tiny.part";

    [Fact]
    public void Write_TwoSpans_GivesTheseBytes()
    {
        var disk = new MemoryFileSystem();
        using (var file = disk.Create(Path))
        {
            using var content = new BatchContent([TwoSpans()]);
            PartWriter.Write(file, content);
        }
        using var part = new PartSource(PartFile.Open(disk, Path), new ChunkCache(1 << 20));
        var text = Annotate(part, disk.ReadAll(Path));
        var expected = File.ReadAllText(System.IO.Path.Combine(Folder(), "tiny.part.txt"));
        Assert.Equal(expected.ReplaceLineEndings("\n"), text);
    }

    private static string Folder([CallerFilePath] string path = "") => System.IO.Path.GetDirectoryName(path)!;

    private static ColumnBatch TwoSpans()
    {
        var batch = new ColumnBatch(Signal.Traces);
        var strings = batch.Strings;
        batch.ResourceSchemaUrl.Add(0);
        batch.ResourceDroppedAttributesCount.Add(0);
        batch.ResourceAttributes.Add(strings.Intern("service.name"), AttributeType.String, strings.Intern("cart"));
        batch.ResourceAttributes.EndOwner();
        batch.ScopeName.Add(strings.Intern("lib"));
        batch.ScopeVersion.Add(strings.Intern("1.0"));
        batch.ScopeSchemaUrl.Add(0);
        batch.ScopeDroppedAttributesCount.Add(0);
        batch.ScopeAttributes.EndOwner();
        for (var row = 0; row < 2; row++)
        {
            batch.TimeUnixNano.Add(1_000_000 + (row * 500));
            batch.TraceId.Add(new TraceId(0x0102030405060708, 0x1112131415161718));
            batch.SpanId.Add(new SpanId(0xA0 + (ulong)row));
            batch.ParentSpanId.Add(row == 0 ? default : new SpanId(0xA0));
            batch.Resource.Add(0);
            batch.Scope.Add(0);
            batch.Name.Add(strings.Intern(row == 0 ? "GET /" : "SELECT"));
            batch.Flags.Add(1);
            batch.DroppedAttributesCount.Add(0);
            batch.Attributes.Add(strings.Intern("code"), AttributeType.Int64, 200 + row);
            batch.Attributes.EndOwner();
            batch.DurationNano.Add(5_000 - (row * 3_000));
            batch.Kind.Add((byte)(row + 2));
            batch.Status.Add(0);
            batch.StatusMessage.Add(0);
            batch.TraceState.Add(0);
            batch.DroppedEventsCount.Add(0);
            batch.DroppedLinksCount.Add(0);
            if (row == 1)
            {
                batch.EventTimeUnixNano.Add(1_000_600);
                batch.EventName.Add(strings.Intern("retry"));
                batch.EventDroppedAttributesCount.Add(0);
                batch.EventAttributes.EndOwner();
            }
            batch.EventEnd.Add(batch.EventName.Count);
            batch.LinkEnd.Add(0);
        }
        return batch;
    }

    private static string Annotate(PartSource part, byte[] bytes)
    {
        var regions = new SortedDictionary<long, (long Length, string Name)>
        {
            [0] = (PartFormat.HeaderBytes, "header"),
        };
        void Add(ChunkRef chunk, string name)
        {
            if (!chunk.IsAbsent)
            {
                regions[chunk.Offset] = (chunk.StoredBytes, $"{name} ({chunk.Codec})");
            }
        }
        var directory = part.Directory;
        foreach (var column in Enum.GetValues<PlainColumn>())
        {
            Add(directory.Plain(column, 0), $"column {(int)column} {column}");
        }
        foreach (var column in directory.Columns)
        {
            Add(column.Dictionary, $"dictionary of {column.Scope} {column.Name}");
            if (column.InBlock(0) is { } block)
            {
                Add(block.Chunk, $"values of {column.Scope} {column.Name}");
            }
        }
        foreach (var stripe in directory.Blooms.All)
        {
            if (stripe.StoredBytes > 0)
            {
                regions[stripe.Offset] = (stripe.StoredBytes, "blooms");
            }
        }
        Add(part.File.Footer.Owners, "owners");
        Add(part.File.Footer.Directory, "directory");
        Add(part.File.Footer.TracePages[0].Chunk, "trace index page");
        var footer = regions.Max(region => region.Key + region.Value.Length);
        regions[footer] = (bytes.Length - footer - PartFormat.TrailerBytes, "footer");
        regions[bytes.Length - PartFormat.TrailerBytes] = (PartFormat.TrailerBytes, "trailer");
        var text = new StringBuilder();
        long next = 0;
        foreach (var (offset, (length, name)) in regions)
        {
            Assert.Equal(next, offset);
            text.Append(CultureInfo.InvariantCulture, $"{offset,4} {name}\n");
            for (var at = offset; at < offset + length; at += 16)
            {
                var line = bytes.AsSpan((int)at, (int)Math.Min(16, offset + length - at));
                text.Append(CultureInfo.InvariantCulture, $"       {string.Join(' ', line.ToArray().Select(value => value.ToString("x2", CultureInfo.InvariantCulture))),-47}  {Printable(line)}\n");
            }
            next = offset + length;
        }
        Assert.Equal(bytes.Length, next);
        return text.ToString();
    }

    private static string Printable(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        foreach (var value in bytes)
        {
            text.Append(value is >= 0x20 and < 0x7F ? (char)value : '.');
        }
        return text.ToString();
    }
}
