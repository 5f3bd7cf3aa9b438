using System.Net;
using System.Text;

namespace Unit.Kubernetes;

/// <summary>Answers requests from a script and keeps what was asked.</summary>
internal sealed class ScriptedServer : HttpMessageHandler
{
    private readonly Queue<Func<CancellationToken, Task<HttpResponseMessage>>> answers = new();

    public List<(string Method, string PathAndQuery, string? ContentType, string? Body, string? Authorization)> Requests { get; } = [];

    public ScriptedServer Answer(HttpStatusCode status, string body, Action<HttpResponseMessage>? also = null)
    {
        answers.Enqueue(_ =>
        {
            var response = new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            also?.Invoke(response);
            return Task.FromResult(response);
        });
        return this;
    }

    public ScriptedServer Fail(Exception error)
    {
        answers.Enqueue(_ => Task.FromException<HttpResponseMessage>(error));
        return this;
    }

    public ScriptedServer Hang()
    {
        answers.Enqueue(async token =>
        {
            await Task.Delay(Timeout.Infinite, token);
            throw new InvalidOperationException("never");
        });
        return this;
    }

    public static string Status(int code, string reason, string message = "as scripted") =>
        $$"""{"kind":"Status","apiVersion":"v1","status":"Failure","code":{{code}},"reason":"{{reason}}","message":"{{message}}"}""";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken);
        Requests.Add((request.Method.Method, request.RequestUri!.PathAndQuery, request.Content?.Headers.ContentType?.ToString(), body,
            request.Headers.Authorization?.ToString()));
        return answers.TryDequeue(out var answer) ? await answer(cancellationToken) : throw new InvalidOperationException("The script has ended.");
    }
}
