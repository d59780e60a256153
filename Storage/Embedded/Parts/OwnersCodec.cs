using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Parts;

/// <summary>The resources and scopes of a part, with their strings, as one chunk.</summary>
internal static class OwnersCodec
{
    public static void Encode(ColumnBatch rows, ByteWriter chunk)
    {
        var strings = new StringTable();
        var numbers = new List<long> { rows.ResourceAttributes.OwnerCount };
        int Copy(int code) => strings.Intern(rows.Strings[code]);
        for (var resource = 0; resource < rows.ResourceAttributes.OwnerCount; resource++)
        {
            numbers.Add(Copy(rows.ResourceSchemaUrl[resource]));
            numbers.Add(rows.ResourceDroppedAttributesCount[resource]);
            AddAttributes(rows.ResourceAttributes, resource, numbers, Copy);
        }
        numbers.Add(rows.ScopeAttributes.OwnerCount);
        for (var scope = 0; scope < rows.ScopeAttributes.OwnerCount; scope++)
        {
            numbers.Add(Copy(rows.ScopeName[scope]));
            numbers.Add(Copy(rows.ScopeVersion[scope]));
            numbers.Add(Copy(rows.ScopeSchemaUrl[scope]));
            numbers.Add(rows.ScopeDroppedAttributesCount[scope]);
            AddAttributes(rows.ScopeAttributes, scope, numbers, Copy);
        }
        var list = new ValueListWriter();
        for (var code = 0; code < strings.Count; code++)
        {
            list.Add(AttributeType.String, code, strings);
        }
        chunk.VarUInt((ulong)strings.Count);
        list.WriteTo(chunk);
        chunk.VarUInt((ulong)numbers.Count);
        IntColumn.Encode(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(numbers), chunk);
    }

    public static ColumnBatch Decode(ref ChunkReader reader, Signal signal)
    {
        var batch = new ColumnBatch(signal);
        var count = reader.Count(PartFormat.MaxChunkBytes);
        var list = ValueList.Decode(ref reader, count);
        for (var code = 0; code < count; code++)
        {
            if (batch.Strings.Intern(list.GetContent(code)) != code)
            {
                throw reader.Corrupt("the strings of the owners are not distinct, or do not begin with the empty one");
            }
        }
        var values = new long[reader.Count(PartFormat.MaxChunkBytes / 8)];
        IntColumn.Decode<long>(ref reader, values);
        reader.ExpectEnd();
        var numbers = new Numbers(values, count);
        try
        {
            for (var left = numbers.Count(); left > 0; left--)
            {
                batch.ResourceSchemaUrl.Add(numbers.Code());
                batch.ResourceDroppedAttributesCount.Add((uint)numbers.Next());
                numbers.ReadAttributes(batch.ResourceAttributes);
            }
            for (var left = numbers.Count(); left > 0; left--)
            {
                batch.ScopeName.Add(numbers.Code());
                batch.ScopeVersion.Add(numbers.Code());
                batch.ScopeSchemaUrl.Add(numbers.Code());
                batch.ScopeDroppedAttributesCount.Add((uint)numbers.Next());
                numbers.ReadAttributes(batch.ScopeAttributes);
            }
        }
        catch (InvalidDataException failure)
        {
            throw reader.Corrupt(failure.Message);
        }
        return batch;
    }

    private static void AddAttributes(AttributeTable attributes, int owner, List<long> numbers, Func<int, int> copy)
    {
        var (start, end) = (attributes.Start(owner), attributes.Start(owner + 1));
        numbers.Add(end - start);
        for (var entry = start; entry < end; entry++)
        {
            var type = attributes.Types[entry];
            numbers.Add(copy(attributes.Keys[entry]));
            numbers.Add((long)type);
            numbers.Add(type.HasContent() ? copy((int)attributes.Bits[entry]) : attributes.Bits[entry]);
        }
    }

    private sealed class Numbers(long[] values, int strings)
    {
        private int _next;

        public long Next() => _next < values.Length ? values[_next++] : throw new InvalidDataException("the owners end early");

        public int Count() => Next() is var count && count >= 0 && count <= values.Length - _next
            ? (int)count
            : throw new InvalidDataException("a count of the owners is wrong");

        public int Code() => Next() is var code && code >= 0 && code < strings ? (int)code : throw new InvalidDataException("a string of the owners is missing");

        public void ReadAttributes(AttributeTable attributes)
        {
            for (var left = Count(); left > 0; left--)
            {
                var key = Code();
                var type = Next() is var number && number is >= 0 and <= (long)AttributeType.KeyValueList
                    ? (AttributeType)number
                    : throw new InvalidDataException("an attribute type of the owners is unknown");
                attributes.Add(key, type, type.HasContent() ? Code() : Next());
            }
            attributes.EndOwner();
        }
    }
}
