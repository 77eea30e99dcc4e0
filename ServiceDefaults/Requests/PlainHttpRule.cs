using System.Security.Claims;
using Lab.ServiceDefaults.Access;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.HttpsPolicy;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Lab.ServiceDefaults.Requests;

/// <summary>Does with requests that come without TLS what <see cref="HttpsOptions.PlainHttp"/> says.</summary>
public static class PlainHttpRule
{
    // A name that no environment variable can give to a key.
    private static readonly ClaimsPrincipal Anybody = new(new ClaimsIdentity([new(ClaimTypes.Name, "plain HTTP")], nameof(PlainHttp)));

    private static readonly Refusal KeyInTheClear = new(StatusCodes.Status403Forbidden, "Key without TLS",
        "The key came without TLS, so whoever is on the way may have read it; nothing was done. Have it replaced, and call the https:// address.");

    private static readonly Refusal NoHttps = new(StatusCodes.Status403Forbidden, "TLS needed", "This is answered over https:// only.");

    /// <summary>Lets requests come here without TLS and without a key, where <see cref="PlainHttp.WithoutKey"/> is set.</summary>
    public static TBuilder WithPlainHttp<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(builder => builder.Metadata.Add(Allowed.Instance));
        return endpoint;
    }

    /// <summary>Puts the rule before the endpoints: behind routing, and before anything that looks for keys.</summary>
    public static void UsePlainHttpRule(this WebApplication app)
    {
        var rule = app.Services.GetRequiredService<HttpsOptions>().PlainHttp;
        if (rule is PlainHttp.Served) return;
        // 308: the method and the body stay what they are.
        app.Services.GetRequiredService<IOptions<HttpsRedirectionOptions>>().Value.RedirectStatusCode = StatusCodes.Status308PermanentRedirect;
        var refusals = app.Services.GetRequiredService<RefusalLog>();
        var branch = ((IApplicationBuilder)app).New();
        // TLS ends at the proxy, on the port that goes without saying.
        branch.Use((context, next) => context.IsForwarded() ? RedirectAsync(context) : next(context));
        branch.UseHttpsRedirection();
        branch.Run(context => NoHttps.ToResult().ExecuteAsync(context));
        var redirect = branch.Build();
        app.Use((context, next) =>
        {
            // A Unix socket has no address.
            if (context.Request.IsHttps || context.Connection.LocalIpAddress is null) return next(context);
            if (context.Request.Headers.Authorization.Count > 0)
            {
                refusals.InTheClear(context);
                return KeyInTheClear.ToResult().ExecuteAsync(context);
            }

            if (rule is not PlainHttp.WithoutKey || context.GetEndpoint()?.Metadata.GetMetadata<Allowed>() is null) return redirect(context);
            context.User = Anybody;
            return next(context);
        });
    }

    private static Task RedirectAsync(HttpContext context)
    {
        var request = context.Request;
        context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        context.Response.Headers.Location = UriHelper.BuildAbsolute(Uri.UriSchemeHttps, new(request.Host.Host), request.PathBase, request.Path, request.QueryString);
        return Task.CompletedTask;
    }

    private sealed class Allowed
    {
        public static Allowed Instance { get; } = new();
    }
}
