using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Apm.Web.Tests;

public sealed class FormatTests
{
    private static readonly string CasesPath = Path.Combine(AppContext.BaseDirectory, "Cases", "format.json");

    public static TheoryData<string, string, string> Cases()
    {
        var data = new TheoryData<string, string, string>();
        using var document = JsonDocument.Parse(File.ReadAllText(CasesPath));
        foreach (var kind in document.RootElement.EnumerateObject())
        {
            foreach (var pair in kind.Value.EnumerateArray())
                data.Add(kind.Name, pair[0].GetRawText(), pair[1].GetString()!);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Format_OfANumber_IsAsWritten(string kind, string input, string expected)
    {
        var value = input == "null" ? (double?)null : double.Parse(input, System.Globalization.CultureInfo.InvariantCulture);
        var text = kind switch
        {
            "duration" => Format.Duration(value).ToString(),
            "rate" => Format.Rate(value).ToString(),
            "percent" => Format.Percent(value).ToString(),
            "integer" => Format.Integer((long)value!.Value),
            "compact" => Format.Compact(value!.Value),
            "bytes" => Format.Bytes(value).ToString(),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such format"),
        };
        Assert.Equal(expected, text);
    }

    /// <summary>The modules write the same cases the same way; needs Node.</summary>
    [Fact]
    public async Task Modules_OfTheSameCases_WriteTheSame()
    {
        var script = $$"""
            import { readFileSync } from 'node:fs';
            import * as format from 'file://{{SourceFolder.Web}}/wwwroot/js/format.js';
            const wrong = [];
            for (const [kind, cases] of Object.entries(JSON.parse(readFileSync('{{CasesPath.Replace('\\', '/')}}', 'utf8'))))
              for (const [input, expected] of cases) {
                const made = format[kind](input);
                const text = typeof made === 'string' ? made : format.text(made);
                if (text !== expected) wrong.push(`${kind}(${input}) = ${text}, not ${expected}`);
              }
            console.log(wrong.length ? wrong.join('\n') : 'same');
            """;
        Assert.Equal("same", await Node.RunAsync(script));
    }
}

/// <summary>Runs a module in Node, or skips the test where there is none.</summary>
internal static class Node
{
    public static async Task<string> RunAsync(string script)
    {
        var start = new ProcessStartInfo("node", ["--input-type=module", "-"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
        };
        Process? process = null;
        try
        {
            process = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("Node is not installed.");
        }
        using (process)
        {
            var cancellation = TestContext.Current.CancellationToken;
            await process!.StandardInput.WriteAsync(script.AsMemory(), cancellation);
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            return (await output + (process.ExitCode == 0 ? "" : await errors)).Trim();
        }
    }
}

internal static class SourceFolder
{
    /// <summary>The project Web, in the repository this test was built from.</summary>
    public static string Web { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Apm.sln")))
                return Path.Combine(folder.FullName, "Web").Replace('\\', '/');
        }
        throw new DirectoryNotFoundException("Apm.sln is not above the tests.");
    }
}
