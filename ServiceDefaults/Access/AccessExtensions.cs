using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Lab.ServiceDefaults.Access;

/// <summary>API keys, the admin scope, and a rate limit per key.</summary>
public static class AccessExtensions
{
    /// <summary>The policy of endpoints that change the fleet.</summary>
    public const string AdminPolicy = "admin";

    internal const string ScopeClaim = "scope";
    internal const string AdminScope = "admin";

    /// <summary>Requires a key of every endpoint that does not allow anonymous callers, as soon as one key is configured.</summary>
    public static void AddAccess(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (builder.Configuration[$"{AccessOptions.Section}:{nameof(AccessOptions.SecretsDirectory)}"] is { Length: > 0 } secrets)
            builder.Configuration.AddKeyPerFile(Path.GetFullPath(secrets), optional: false, reloadOnChange: true);

        var services = builder.Services;
        services.AddOptions<AccessOptions>().Bind(builder.Configuration.GetSection(AccessOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AccessOptions>, AccessOptionsValidator>();
        services.AddSingleton<KeyRing>();
        services.AddSingleton<IAuthorizationHandler, KeyRequirementHandler>();
        services.AddHostedService<OpenDoorWarning>();
        services.AddAuthentication(ApiKeyHandler.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.SchemeName, configureOptions: null);
        services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().AddRequirements(new KeyRequirement(Admin: false)).Build())
            .AddPolicy(AdminPolicy, policy => policy.AddRequirements(new KeyRequirement(Admin: true)));
        services.AddSingleton<KeyLimits>();
        services.AddRateLimiter(limiter => limiter.OnRejected = RefuseAsync);
        services.AddOptions<RateLimiterOptions>().Configure<KeyLimits>((limiter, limits) => limiter.GlobalLimiter =
            limits.Limiter.WithTranslatedKey<HttpContext>(context => context.User.Identity?.Name ?? "", leaveOpen: true));
    }

    /// <summary>Puts the checks before the endpoints.</summary>
    public static void UseAccess(this WebApplication app)
    {
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseRateLimiter();
    }

    private static ValueTask RefuseAsync(OnRejectedContext rejected, CancellationToken cancellationToken)
    {
        var seconds = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? Math.Ceiling(wait.TotalSeconds) : 1;
        rejected.HttpContext.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        rejected.HttpContext.Response.Headers.RetryAfter = Math.Clamp(seconds, 1, 60).ToString(CultureInfo.InvariantCulture);
        return ValueTask.CompletedTask;
    }
}
