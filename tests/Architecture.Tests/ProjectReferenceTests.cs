using System.Xml.Linq;

namespace Apm.Architecture.Tests;

/// <summary>The graph of docs/adr/0001: an edge that is not here is a mistake, however handy.</summary>
public sealed class ProjectReferenceTests
{
    private static readonly string[] Roles = ["Collector", "DurableBuffer", "Ingester", "Storage", "Query"];

    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Telemetry"] = [],
        ["DurableBuffer"] = ["Telemetry"],
        ["Storage"] = ["Telemetry"],
        ["Collector"] = ["DurableBuffer", "Telemetry"],
        ["Ingester"] = ["DurableBuffer", "Storage", "Telemetry"],
        ["Query"] = ["Storage", "Telemetry"],
        ["Web"] = [],
        ["Agent"] = [],
        ["ServiceDefaults"] = ["Telemetry"],
        ["Standalone"] = [.. Roles, "Telemetry", "Web", "ServiceDefaults", "Shop"],
        ["Shop"] = [],
    };

    public static TheoryData<string> ProductProjects()
    {
        var data = new TheoryData<string>();
        foreach (var file in Repository.Files("*.csproj").Where(file => !file.StartsWith("tests/", StringComparison.Ordinal) && !file.StartsWith("bench/", StringComparison.Ordinal)))
        {
            data.Add(file);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(ProductProjects))]
    public void ProjectReference_OutsideTheGraph_IsRefused(string projectFile)
    {
        var name = Path.GetFileNameWithoutExtension(projectFile);
        Assert.True(Allowed.TryGetValue(name, out var allowed), $"{projectFile} is not a project of the architecture: add it to docs/adr/0001 and here.");
        var references = XDocument.Load(Path.Combine(Repository.Root, projectFile)).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));
        foreach (var reference in references)
        {
            Assert.True(allowed.Contains(reference), $"{name} may not refer to {reference}.");
        }
    }

    [Theory]
    [MemberData(nameof(ProductProjects))]
    public void Project_WithoutCode_IsRefused(string projectFile)
    {
        var folder = Path.GetDirectoryName(projectFile)!.Replace('\\', '/') + "/";
        Assert.Contains(Repository.Files("*.*"), file => file.StartsWith(folder, StringComparison.Ordinal) && (file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".razor", StringComparison.Ordinal)));
        Assert.True(File.Exists(Path.Combine(Repository.Root, folder, "README.md")), $"{folder} has no README.md.");
    }

    [Fact]
    public void Standalone_RefersToTheShop_OnlyToBuildIt()
    {
        var shop = XDocument.Load(Path.Combine(Repository.Root, "Standalone/Standalone.csproj")).Descendants("ProjectReference")
            .Single(reference => reference.Attribute("Include")!.Value.Contains("Shop", StringComparison.Ordinal));
        Assert.Equal("false", shop.Attribute("ReferenceOutputAssembly")?.Value ?? shop.Element("ReferenceOutputAssembly")?.Value);
    }
}
