using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Lab.ServiceDefaults.Access;

/// <summary>API keys, the admin scope, and a rate limit per key.</summary>
public static class AccessExtensions
{
    /// <summary>The policy of endpoints that change the fleet.</summary>
    public const string AdminPolicy = "admin";

    internal const string ScopeClaim = "scope";
    internal const string AdminScope = "admin";

    /// <summary>Requires a key of every endpoint that does not allow anonymous callers, as soon as anything of <see cref="AccessSettings"/> is set.</summary>
    /// <remarks>The application then throws <see cref="OptionsValidationException"/> at its start where a setting cannot be used.</remarks>
    public static void AddAccess(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        if (builder.Configuration[$"{AccessSettings.Section}:{AccessSettings.SecretsDirectory}"] is { Length: > 0 } path)
        {
            var secrets = new SecretsDirectory(path, TimeProvider.System);
            builder.Configuration.Sources.Add(secrets);
            services.AddSingleton(secrets);
        }

        services.AddSingleton<KeyRing>();
        services.AddSingleton<IKeyHolders>(provider => provider.GetRequiredService<KeyRing>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<RefusalLog>();
        // It tells each unknown key; the refusal's own line is enough.
        builder.Logging.AddFilter(typeof(ApiKeyHandler).FullName, LogLevel.Warning);
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
