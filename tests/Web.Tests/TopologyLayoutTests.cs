namespace Apm.Web.Tests;

/// <summary>Where the nodes of a map stand, in Node.</summary>
public sealed class TopologyLayoutTests
{
    /// <summary>Lays out graphs written as <c>a>b b>c</c>; <c>rows</c> draws the layers as text.</summary>
    private static readonly string Tools = $$"""
        import { layOut } from 'file://{{SourceFolder.Web}}/wwwroot/js/topology-layout.js';
        const spacing = { gap: 100, rowGap: 20, bend: 60 };
        const graph = (text, groups = {}) => {
          const edges = text.trim().split(/\s+/).map(pair => { const [from, to] = pair.split('>'); return { key: pair, from, to }; }).filter(edge => edge.to);
          const names = [...new Set(text.trim().split(/[\s>]+/))];
          return { nodes: names.map(key => ({ key, width: 100, height: 50, group: groups[key] ?? '' })), edges };
        };
        const lay = (text, previous, groups) => { const { nodes, edges } = graph(text, groups); return layOut(nodes, edges, spacing, previous); };
        const rows = layout => { const layers = []; for (const place of [...layout.places.values()].sort((a, b) => a.y - b.y)) (layers[place.layer] ??= []).push(place.key); return layers.map(layer => layer.join(' ')).join(' | '); };
        const overlaps = layout => { const all = [...layout.places.values()]; return all.filter((a, i) => all.some((b, j) => i < j && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height)).length; };
        const random = seed => () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
        const tiers = (nodes, edges, seed = 7) => { const r = random(seed), tier = i => Math.floor(Math.sqrt(i / nodes) * 6), found = new Set(); while (found.size < edges) { const a = Math.floor(r() * nodes), b = Math.floor(r() * nodes); if (tier(a) < tier(b) || r() < 0.01) found.add(`n${a}>n${b}`); } return [...found].join(' '); };
        """;

    [Theory]
    [InlineData("a>b", "a | b")]
    [InlineData("a>b b>c a>c", "a | b | c")]
    [InlineData("a>c b>d a>d b>c x>c", "a x b | c d")]
    [InlineData("a>b b>a", "a | b")]
    [InlineData("entry>a a>b b>c c>a", "entry | a | b | c")]
    [InlineData("a>a", "a")]
    [InlineData("a>b b>c c>d job>d", "a | b | c job | d")]
    [InlineData("lonely", "lonely")]
    public async Task LayOut_OfAGraph_LetsCallsGoToTheRight(string graph, string expected) =>
        Assert.Equal(Sorted(expected), Sorted(await Node.RunAsync($"{Tools} console.log(rows(lay('{graph}')))")));

    [Fact]
    public async Task LayOut_OfACycle_MarksTheCallThatLeadsBack() =>
        Assert.Equal("a>b false false, b>a true false, b>b false true", await Node.RunAsync(
            Tools + " console.log([...lay('a>b b>a b>b').lines.values()].map(l => `${l.key} ${l.back} ${l.loop}`).sort().join(', '))"));

    [Fact]
    public async Task LayOut_AfterAColumnOfNearNodes_LeavesTheSmallGapAndBendsWithinIt() =>
        Assert.Equal("0 130 330; M100 25H130", await Node.RunAsync($$"""
            {{Tools}}
            const { nodes, edges } = graph('in>a a>b');
            const layout = layOut(nodes.map(node => ({ ...node, near: node.key === 'in' })), edges, { ...spacing, nearGap: 30 });
            console.log([...layout.places.values()].map(place => place.x).sort((a, b) => a - b).join(' ') + '; ' + layout.lines.get('in>a').path);
            """));

    [Fact]
    public async Task LayOut_OfParallelChains_CrossesNothing() =>
        Assert.Equal("a1 b1 | a2 b2 | a3 b3", await Node.RunAsync(Tools + " console.log(rows(lay('a2>a3 b1>b2 a1>a2 b2>b3')))"));

    [Theory]
    [InlineData(2, 1)]
    [InlineData(13, 24)]
    [InlineData(60, 140)]
    [InlineData(200, 500)]
    public async Task LayOut_OfManyNodes_OverlapsNothingAndRepeatsItself(int nodes, int edges) =>
        Assert.Equal("0 true", await Node.RunAsync($"{Tools} const text = tiers({nodes}, {edges}); const once = lay(text); console.log(overlaps(once), JSON.stringify([...once.lines]) === JSON.stringify([...lay(text).lines]))"));

    [Theory]
    [InlineData("text.split(' ').slice(1).join(' ')", 0)]
    [InlineData("text + ' n1>n50'", 0)]
    [InlineData("text + ' n1>new'", 8)] // Those below it make room.
    public async Task LayOut_OfAGraphThatChangedALittle_LeavesNodesWhereTheyAre(string changed, int most)
    {
        var moved = await Node.RunAsync($$"""
            {{Tools}}
            const text = tiers(60, 140); const before = lay(text), after = lay({{changed}}, before);
            let moved = 0; for (const [key, place] of after.places) { const was = before.places.get(key); if (was && Math.hypot(was.x - place.x, was.y - place.y) > 30) moved++; }
            console.log(moved, overlaps(after));
            """);
        var numbers = moved.Split(' ').Select(number => int.Parse(number, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        Assert.InRange(numbers[0], 0, most);
        Assert.Equal(0, numbers[1]);
    }

    [Fact]
    public async Task LayOut_OfTheSameGraph_IsThePictureBefore() =>
        Assert.Equal("true", await Node.RunAsync(Tools + " const before = lay('a>b b>c'); console.log(lay('b>c a>b', before) === before)"));

    [Fact]
    public async Task LayOut_OfGroups_PutsThemInBands() =>
        Assert.Equal("production staging  true", await Node.RunAsync(Tools + """
             const layout = lay('a>b x>y a>shared x>shared', null, { a: 'production', b: 'production', x: 'staging', y: 'staging' });
            const bottoms = layout.bands.map(band => band.y + band.height);
            console.log(layout.bands.map(band => band.group).join(' '), layout.bands.every((band, i) => i === 0 || band.y > bottoms[i - 1]));
            """));

    /// <summary>Within a layer the order is free where nothing decides it.</summary>
    private static string Sorted(string layers) => string.Join(" | ", layers.Split(" | ").Select(layer => string.Join(' ', layer.Split(' ').Order(StringComparer.Ordinal))));
}
