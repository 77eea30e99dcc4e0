using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Lab.ServiceDefaults.Access;

/// <summary>Takes an API key from <c>Authorization: Bearer …</c> (RFC 6750).</summary>
internal sealed class ApiKeyHandler(
    KeyRing keys,
    RefusalLog refusals,
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "ApiKey";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var holder = keys.FindBearer(Request.Headers.Authorization.ToString(), out var isBearer);
        return Task.FromResult(
            !isBearer ? AuthenticateResult.NoResult()
            : holder is null ? AuthenticateResult.Fail("unknown key")
            : AuthenticateResult.Success(new(holder.Principal, SchemeName)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        refusals.Unauthorized(Context, hadKey: Request.Headers.Authorization.Count > 0);
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = "Bearer";
        return Task.CompletedTask;
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        refusals.Forbidden(Context);
        Response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }
}
