using System.Collections.Frozen;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Apm.Web;

/// <summary>
/// The files of wwwroot, embedded in this assembly. One fingerprint covers them all and is the first segment of their address
/// (<c>/assets/{fingerprint}/js/shell.js</c>), so relative imports of modules stay within one version and a browser may keep each file for good.
/// Immutable after construction; compressed copies are made once, on first use.
/// </summary>
internal sealed class Assets
{
    /// <summary>A year, the longest time HTTP caches honour: the address changes when the content does.</summary>
    private const string Immutable = "public, max-age=31536000, immutable";

    private const string ResourcePrefix = "wwwroot/";

    private readonly FrozenDictionary<string, Asset> _files;

    public Assets(TextCatalog texts)
    {
        var files = new Dictionary<string, Asset>(StringComparer.Ordinal);
        var assembly = typeof(Assets).Assembly;
        foreach (var name in assembly.GetManifestResourceNames())
        {
            if (!name.StartsWith(ResourcePrefix, StringComparison.Ordinal))
                continue;
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            var path = name[ResourcePrefix.Length..].Replace('\\', '/');
            files.Add(path, new Asset(path, bytes));
        }
        foreach (var language in Language.All)
        {
            var path = $"text/{language.Tag}.json";
            files.Add(path, new Asset(path, texts.Json(language)));
        }
        _files = files.ToFrozenDictionary(StringComparer.Ordinal);
        Fingerprint = ComputeFingerprint();
    }

    /// <summary>16 hexadecimal digits over names and contents of all files.</summary>
    public string Fingerprint { get; }

    public IEnumerable<string> Paths => _files.Keys;

    /// <summary>Address of a file of wwwroot, such as <c>css/app.css</c>; a fragment is kept.</summary>
    public string Url(string path) => $"/assets/{Fingerprint}/{path}";

    /// <summary>Answers GET /assets/{fingerprint}/{path}. An older fingerprint gets the present file, uncached, so that a page open during an upgrade keeps working.</summary>
    public async Task ServeAsync(HttpContext context, string fingerprint, string path)
    {
        if (!_files.TryGetValue(path, out var asset))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        var headers = context.Response.Headers;
        headers.ETag = asset.ETag;
        headers.CacheControl = fingerprint == Fingerprint ? Immutable : "no-cache";
        headers.Vary = HeaderNames.AcceptEncoding;
        headers.XContentTypeOptions = "nosniff";
        if (context.Request.Headers.IfNoneMatch.ToString().Contains(asset.ETag, StringComparison.Ordinal))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        context.Response.ContentType = asset.ContentType;
        var body = asset.Bytes;
        if (asset.Compressible && context.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.Ordinal))
        {
            headers.ContentEncoding = "br";
            body = asset.Brotli;
        }
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private string ComputeFingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (path, asset) in _files.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(path));
            hash.AppendData(asset.Bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    private sealed class Asset(string path, byte[] bytes)
    {
        private readonly Lazy<byte[]> _brotli = new(() => Compress(bytes));

        public byte[] Bytes { get; } = bytes;

        public byte[] Brotli => _brotli.Value;

        public string ETag { get; } = $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8))}\"";

        public bool Compressible => ContentType != "font/woff2";

        public string ContentType { get; } = Path.GetExtension(path) switch
        {
            ".js" or ".mjs" => "text/javascript; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".svg" => "image/svg+xml",
            ".json" => "application/json; charset=utf-8",
            ".woff2" => "font/woff2",
            _ => "text/plain; charset=utf-8",
        };

        private static byte[] Compress(byte[] source)
        {
            using var target = new MemoryStream();
            using (var brotli = new BrotliStream(target, CompressionLevel.Optimal))
                brotli.Write(source);
            return target.ToArray();
        }
    }
}
