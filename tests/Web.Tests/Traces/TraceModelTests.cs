using System.Text.Json;

namespace Apm.Web.Tests.Traces;

/// <summary>The trace page's model in Node: folds, groups, critical path, search. A case is a trace drawn as text, an expression, and its result as JSON.</summary>
public sealed class TraceModelTests
{
    /// <summary>
    /// Makes an outline of lines such as <c>1 cart GET_/carts 20 56 !</c>: depth, service, name, from and to in ms; <c>!</c> failed, <c>*</c> on the critical path.
    /// </summary>
    private const string Outline = """
        const outline = (text, extra = {}) => {
          const rows = text.trim().split('\n').map(line => line.trim().split(/\s+/));
          const columns = Object.fromEntries(['spanId','parent','depth','service','name','kind','status','startNano','durationNano','selfNano','critical','events','exceptions','links','logs','peer','detail'].map(key => [key, []]));
          const services = [], names = [], above = [], groups = new Map(), criticalPath = [];
          const at = (list, value) => { if (!list.includes(value)) list.push(value); return list.indexOf(value); };
          rows.forEach(([depth, service, name, from, to, ...flags], row) => {
            const d = Number(depth), parent = d === 0 ? -1 : above[d - 1];
            above[d] = row;
            const values = { spanId: (row + 1).toString(16).padStart(16, '0'), parent, depth: d, service: at(services, service), name: at(names, name), kind: 2, status: flags.includes('!') ? 2 : 0,
              startNano: from * 1e6, durationNano: (to - from) * 1e6, selfNano: (to - from) * 1e6, critical: flags.includes('*') ? 1 : 0, events: 0, exceptions: 0, links: 0, logs: 0, peer: -1, detail: -1 };
            for (const key of Object.keys(columns)) columns[key].push(values[key]);
            if (flags.includes('*')) criticalPath.push({ row, fromNano: from * 1e6, toNano: to * 1e6 });
            const key = `${parent} ${service} ${name}`;
            if (parent >= 0) groups.set(key, [...(groups.get(key) ?? []), row]);
          });
          const repeated = [...groups.values()].filter(g => g.length >= 5).map(g => ({ parentRow: columns.parent[g[0]], rows: g, name: rows[g[0]][2], service: rows[g[0]][1], count: g.length, durationNano: 0 }));
          return { traceId: '', startUnixNano: '0', durationNano: (rows[0][4] - rows[0][3]) * 1e6, spanCount: rows.length, errorCount: 0, truncated: false, services: services.map(name => ({ name })), names, columns,
            criticalPath, missingParents: [], repeated, root: {}, headline: null, warnings: [], ...extra };
        };
        """;

    private const string Small = "0 shop checkout 0 100 *\n1 shop GET_cart 0 40\n2 cart GET_/carts 1 39 !\n1 pay charge 40 90 *";

    /// <summary>A fast subtree, five equal calls of which the third failed below, and enough leaves for folding to begin.</summary>
    private static readonly string Large = "0 shop checkout 0 1000\n1 shop auth 0 5\n2 id introspect 1 4\n1 shop slow 10 500\n2 shop part 20 400\n1 shop bad 600 605\n2 id broken 601 604 !\n"
        + string.Join('\n', Enumerable.Range(0, 5).Select(i => $"1 db SELECT {700 + i * 10} {705 + i * 10}\n2 db fetch {701 + i * 10} {704 + i * 10}{(i == 2 ? " !" : "")}"))
        + "\n" + string.Join('\n', Enumerable.Range(0, 20).Select(i => $"1 shop step{i} {800 + i} {801 + i}"));

    public static TheoryData<string, string, string> Cases() => new()
    {
        { "small", "[...m.visible]", "[0,1,2,3]" },
        { "small", "[...m.end]", "[4,3,3,4]" },
        { "small", "[model.errorsIn(m, 0), model.errorsIn(m, 1), model.errorsIn(m, 3)]", "[1,1,0]" },
        { "small", "(model.setOpen(m, 1, false), [...m.visible])", "[0,1,3]" },
        { "small", "(model.setOpen(m, 0, false), [...m.visible])", "[0]" },
        { "small", "(model.setOpen(m, 0, false), model.reveal(m, 2), [...m.visible])", "[0,1,2,3]" },
        { "small", "model.setOpen(m, 3, true)", "false" },
        { "small", "[0,1,2,3].map(row => model.isCritical(m, row))", "[true,false,false,true]" },
        { "small", "(model.setOpen(m, 0, false), model.isCritical(m, 0))", "true" },
        { "small", "model.nextError(m, -1)", "2" },
        { "small", "model.nextError(m, 2)", "2" },
        { "small", "model.search(m, 'CART').count", "2" },
        { "small", "[...model.search(m, '0000000000000004').hit]", "[0,0,0,1]" },
        { "small", "model.search(m, '  ').count", "0" },
        { "small", "model.pathByService(m).map(one => [one.name, one.nano])", "[[\"shop\",100000000],[\"pay\",50000000]]" },
        { "small", "model.byOperation(m).map(one => m.names[one.name])", "[\"checkout\",\"charge\",\"GET_cart\",\"GET_/carts\"]" },
        { "small", "model.rowOf(m, '0000000000000003')", "2" },
        { "small", "model.rowOf(m, null)", "-1" },
        { "small", "(m.names.push('GET', 'http://cart.internal/carts/7?x=1', 'cart.internal'), m.name[2] = m.names.length - 3, m.detail[2] = m.names.length - 2, model.nameOf(m, 2))", "\"GET cart.internal/carts/7\"" },
        { "small", "(m.names.push('GET', 'http://cart.internal/carts/7?x=1', 'cart.internal'), m.name[2] = m.names.length - 3, m.detail[2] = m.names.length - 2, m.peer[2] = m.names.length - 1, model.nameOf(m, 2))", "\"GET /carts/7\"" },
        { "small", "(m.detail[1] = 0, model.nameOf(m, 1))", "\"GET_cart\"" },
        // The fast subtree is folded, the one with an error and the slow one are not; five calls are one row.
        { "large", "m.placeOf[2]", "-1" },
        { "large", "[m.placeOf[4] >= 0, m.placeOf[6] >= 0]", "[true,true]" },
        { "large", "[m.placeOf[7] >= 0, m.placeOf[8], m.placeOf[9], m.placeOf[15]]", "[true,-1,-1,-1]" },
        { "large", "model.foldedSpans(m)", "1" },
        { "large", "(model.expandAll(m), model.refreshVisible(m), model.foldedSpans(m))", "0" },
        { "large", "model.barRange(m, 7)", "{\"from\":700000000,\"to\":745000000}" },
        { "large", "(model.reveal(m, 12), [m.groups[0].folded, m.placeOf[12] >= 0, m.placeOf[9] >= 0])", "[false,true,true]" },
        { "large", "(model.reveal(m, 7), m.groups[0].folded)", "true" },
        { "large", "(model.setOpen(m, 7, true), m.placeOf[9] >= 0)", "true" },
        { "large", "layout.byPath(m).spans[layout.byPath(m).row.findIndex(row => m.names[m.name[row]] === 'SELECT')]", "5" },
        { "small", "[...layout.byTime(m).lane]", "[0,1,2,1]" },
        { "small", "scale.timeTicks(0, 6.12e9, 7).map(tick => tick.label)", "[\"0\",\"1 s\",\"2 s\",\"3 s\",\"4 s\",\"5 s\",\"6 s\"]" },
        { "small", "scale.timeTicks(1.5e6, 3.5e6, 4).map(tick => tick.label)", "[\"1.5 ms\",\"2.0 ms\",\"2.5 ms\",\"3.0 ms\",\"3.5 ms\"]" },
        { "small", "scale.coverage(new scale.Scale(0, 100, 10), [[0, 20], [25, 40], [80, 200]], 1, 2)", "\"M0 1h4v2h-4zM8 1h2v2h-2z\"" },
        { "small", "scale.coverage(new scale.Scale(0, 100, 0), [[0, 20]], 1, 2)", "\"\"" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Model_OfATrace_IsAsExpected(string trace, string expression, string expected)
    {
        var results = await s_results.Value;
        Assert.Equal(expected, results[$"{trace}: {expression}"]);
    }

    [Fact]
    public async Task Model_OfAParentAfterItsChild_TakesTheChildAsRoot() =>
        Assert.Equal("[-1,0,-1]", await RunAsync($"(() => {{ const o = outline({JsonSerializer.Serialize("0 a x 0 9\n1 a y 1 2\n1 a z 2 3")}); o.columns.parent[2] = 5; return o; }})()", "JSON.stringify([...m.parent])"));

    [Fact]
    public async Task Model_Of100000Spans_ShowsAllWhenOpen() =>
        Assert.Equal("100000 1", await RunAsync(
            "outline('0 a root 0 1000\\n' + Array.from({ length: 99999 }, (_, i) => `${1 + i % 7} a n${i % 50} ${i / 200} ${i / 200 + 1}`).join('\\n'))",
            "(model.expandAll(m), m.groups.forEach(group => (group.folded = false)), model.refreshVisible(m), m.visible.length) + ' ' + (model.setOpen(m, 0, false), m.visible.length)"));

    /// <summary>All cases in one process of Node, each on a model of its own.</summary>
    private static readonly Lazy<Task<Dictionary<string, string>>> s_results = new(async () =>
    {
        var cases = Cases().Select(row => row.Data).Select(data => $"[{JsonSerializer.Serialize($"{data.Item1}: {data.Item2}")}]: run({data.Item1}, m => JSON.stringify({data.Item2}))");
        var script = $$"""
            (() => {
              const small = {{JsonSerializer.Serialize(Small)}}, large = {{JsonSerializer.Serialize(Large)}};
              const run = (text, of) => { try { return of(model.buildModel(outline(text))); } catch (error) { return String(error); } };
              return JSON.stringify({ {{string.Join(",\n", cases)}} });
            })()
            """;
        return JsonSerializer.Deserialize<Dictionary<string, string>>(await RunAsync("outline('0 a root 0 1')", script))!;
    });

    private static Task<string> RunAsync(string outline, string expression) => Node.RunAsync($$"""
        import * as model from 'file://{{SourceFolder.Web}}/wwwroot/js/trace-model.js';
        import * as layout from 'file://{{SourceFolder.Web}}/wwwroot/js/trace-flame-layout.js';
        import * as scale from 'file://{{SourceFolder.Web}}/wwwroot/js/trace-scale.js';
        {{Outline}}
        const m = model.buildModel({{outline}});
        console.log({{expression}});
        """);
}
