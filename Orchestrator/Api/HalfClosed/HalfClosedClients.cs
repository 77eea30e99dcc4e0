using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Lab.Orchestrator.Api.HalfClosed;

/// <summary>
/// Clients of HTTP/1.1 that close their side of the connection once they have sent their request (RFC 9293, 3.6) get their
/// answer all the same. The server by itself takes such a close for a client that has gone.
/// </summary>
internal static class HalfClosedClients
{
    /// <summary>Puts a <see cref="ClientConnection"/> between the server and each connection.</summary>
    public static void AddHalfClosedClients(this IServiceCollection services) => services.AddOptions<KestrelServerOptions>()
        .Configure<TimeProvider>((kestrel, time) => kestrel.ConfigureEndpointDefaults(endpoint => ((IConnectionBuilder)endpoint).Use(next => async context =>
        {
            if (context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
            {
                await next(context);
                return;
            }

            using var client = new ClientConnection(socket, context.Transport, time);
            context.Features.Set(client);
            context.Transport = client;
            await using var closed = context.ConnectionClosed.UnsafeRegister(static client => ((ClientConnection)client!).OnClosed(), client);
            context.ConnectionClosed = client.Gone;
            await next(context);
        })));

    /// <summary>Stands first: what comes after it is awaited by clients that have closed their side.</summary>
    public static void UseHalfClosedClients(this WebApplication app) => app.Use((context, next) =>
    {
        // HTTP/1.0 has no interim responses, and TLS and HTTP/2 have closes of their own.
        context.Features.Get<ClientConnection>()?.Begin(context, leavesWhenClosed: context.Request.IsHttps || !HttpProtocol.IsHttp11(context.Request.Protocol));
        return next(context);
    });

    /// <summary>Says that this answer has no end for which a client could wait that has closed its side.</summary>
    public static void HasNoEnd(this HttpContext context) => context.Features.Get<ClientConnection>()?.LeaveWhenClosed();
}
