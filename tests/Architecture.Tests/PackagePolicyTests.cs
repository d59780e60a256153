using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Apm.Architecture.Tests;

public sealed class PackagePolicyTests
{
    [Fact]
    public void PackageReference_WithAVersionOfItsOwn_IsRefused()
    {
        var own = Repository.Files("*.csproj").SelectMany(file => XDocument.Load(Path.Combine(Repository.Root, file)).Descendants("PackageReference")
            .Where(reference => reference.Attribute("Version") is not null || reference.Attribute("VersionOverride") is not null)
            .Select(reference => $"{file}: {reference.Attribute("Include")?.Value}"));
        Assert.Empty(own);
    }

    [Fact]
    public void PackageVersion_PreviewOrFloating_IsRefused()
    {
        var versions = XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props")).Descendants("PackageVersion").ToArray();
        Assert.NotEmpty(versions);
        Assert.All(versions, version => Assert.Matches(new Regex(@"^\d+(\.\d+){1,3}$"), version.Attribute("Version")!.Value));
    }

    [Fact]
    public void Project_WithoutALockFile_IsRefused()
    {
        var missing = Repository.Files("*.csproj").Where(file => !File.Exists(Path.Combine(Repository.Root, Path.GetDirectoryName(file)!, "packages.lock.json")));
        Assert.Empty(missing);
    }
}
