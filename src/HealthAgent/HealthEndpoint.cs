using System.Net;
using Agents.Health;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Agents.HealthAgent;

/// <summary>
/// <c>GET /healthz</c>: 200 or 503, with the reason in one line. <c>GET /handover</c>: 200 once the server's container may end.
/// </summary>
internal static class HealthEndpoint
{
    public static WebApplication Build(IPAddress address, int port, Func<HealthVerdict> judge, HandOverWatch handOver, ILoggerFactory logging)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logging);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 64;
            kestrel.Limits.MaxRequestBodySize = 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            kestrel.Listen(address, port);
        });
        var application = builder.Build();
        application.MapGet("/healthz", (RequestDelegate)(context => AnswerAsync(context, judge())));
        application.MapGet("/handover", (RequestDelegate)(context => HandOverAsync(context, handOver)));
        return application;
    }

    private static async Task HandOverAsync(HttpContext context, HandOverWatch handOver)
    {
        var over = await handOver.WaitAsync(context.RequestAborted).ConfigureAwait(false);
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync($"{over.ReplaceLineEndings(" ")}\n", context.RequestAborted).ConfigureAwait(false);
    }

    private static Task AnswerAsync(HttpContext context, HealthVerdict verdict)
    {
        context.Response.StatusCode = verdict.IsAlive ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync($"{verdict.State}: {verdict.Because.ReplaceLineEndings(" ")}\n", context.RequestAborted);
    }
}
