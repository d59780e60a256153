using System.Net;
using System.Text;
using Apm.Web.Api;

namespace Apm.Web.Tests;

public sealed class QueryClientTests
{
    public static TheoryData<int, string, string, string, string> Answers => new()
    {
        { 400, "application/problem+json", """{"title":"Bad request","detail":"limit is 0","parameter":"limit"}""", nameof(QueryFailure.BadRequest), "limit is 0" },
        { 404, "application/problem+json", """{"title":"Not found"}""", nameof(QueryFailure.NotFound), "Not found" },
        { 503, "application/problem+json", """{"detail":"starting"}""", nameof(QueryFailure.Starting), "starting" },
        { 504, "text/html", "<html>", nameof(QueryFailure.Timeout), "HTTP 504" },
        { 500, "text/plain", "", nameof(QueryFailure.Unexpected), "HTTP 500" },
        { 200, "text/html", "<html>", nameof(QueryFailure.Unexpected), "GET /api/v1/ingest" },
        { 200, "application/json", "null", nameof(QueryFailure.Unexpected), "answered null" },
        { 200, "application/json", """{"receivers":[{"name":1}]}""", nameof(QueryFailure.Unexpected), "GET /api/v1/ingest" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Get_OfAnAnswerThatIsNoAnswer_SaysWhatItWas(int status, string type, string body, string failure, string message)
    {
        var client = Client((_, _) => Task.FromResult(new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, type) }));
        var error = await Assert.ThrowsAsync<QueryException>(() => client.IngestAsync(TestContext.Current.CancellationToken));
        Assert.Equal(failure, error.Failure.ToString());
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_OfAWrongFilter_KeepsItsPlace()
    {
        const string problem = """{"detail":"no unit","parameter":"q","line":1,"column":12,"expected":["a duration"]}""";
        var client = Client((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.BadRequest) { Content = new StringContent(problem) }));
        var error = await Assert.ThrowsAsync<QueryException>(() => client.IngestAsync(TestContext.Current.CancellationToken));
        Assert.Equal((1, 12), (error.Problem!.Line, error.Problem.Column));
        Assert.Equal("a duration", error.Problem.ExpectedText);
    }

    [Fact]
    public async Task Get_WithoutAServer_IsUnreachable()
    {
        var client = Client((_, _) => throw new HttpRequestException("Connection refused"));
        Assert.Equal(QueryFailure.Unreachable, (await Assert.ThrowsAsync<QueryException>(() => client.IngestAsync(TestContext.Current.CancellationToken))).Failure);
    }

    [Fact]
    public async Task Get_LongerThanItsTime_IsATimeout()
    {
        var client = Client(async (_, cancellation) =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return new HttpResponseMessage();
        }, TimeSpan.FromMilliseconds(20));
        Assert.Equal(QueryFailure.Timeout, (await Assert.ThrowsAsync<QueryException>(() => client.IngestAsync(TestContext.Current.CancellationToken))).Failure);
    }

    [Fact]
    public async Task Get_WhenTheReaderLeaves_IsCancelled()
    {
        using var leaving = new CancellationTokenSource();
        var client = Client(async (_, cancellation) =>
        {
            await leaving.CancelAsync();
            await Task.Delay(Timeout.Infinite, cancellation);
            return new HttpResponseMessage();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.IngestAsync(leaving.Token));
    }

    [Fact]
    public void Parameters_WithSigns_AreEscaped() =>
        Assert.Equal("?q=a%20%3D%20%22b%26c%22&from=12", new ApiParameters().Add("q", "a = \"b&c\"").Add("text", "").Add("from", 12).ToString());

    private static QueryClient Client(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> answer, TimeSpan? timeout = null) =>
        new(new HttpClient(new Handler(answer)) { BaseAddress = new Uri("http://query"), Timeout = timeout ?? TimeSpan.FromSeconds(30) });

    private sealed class Handler(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => answer(request, cancellationToken);
    }
}
