using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Access;

/// <summary>Cookies in exchange for keys, for pages and nothing else: the API goes on taking keys only.</summary>
public static class KeySessionExtensions
{
    /// <summary>The policy of what only a session may reach; everybody has one as long as no key is configured.</summary>
    public const string SessionPolicy = "session";

    /// <summary>The policy of what everybody may reach and who has a session is known by it.</summary>
    public const string VisitorPolicy = "visitor";

    /// <summary>The policy of what a key or a session may reach.</summary>
    public const string ReaderPolicy = "reader";

    internal const string Scheme = "KeySession";
    private const string CookieName = "lab-session";
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);

    /// <summary>Adds sessions to <see cref="AccessExtensions.AddAccess"/>.</summary>
    public static void AddKeySessions(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        // An application whose seals are not to outlive it keeps nothing.
        var isPassing = services.Any(service => service.ImplementationType == typeof(EphemeralDataProtectionProvider));
        var directory = isPassing ? null : OpenDirectory(builder.Configuration);
        services.AddSingleton(provider => new EndedSessions(directory is null ? null : Path.Combine(directory.FullName, "ended"), Lifetime, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new KeySessions(
            provider.GetRequiredService<KeyRing>(), provider.GetRequiredService<KeyLimits>(), provider.GetRequiredService<EndedSessions>()));
        services.AddAuthentication().AddCookie(Scheme, cookie =>
        {
            cookie.Cookie.Name = CookieName;
            cookie.Cookie.HttpOnly = true;
            cookie.Cookie.SameSite = SameSiteMode.Strict;
            cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            cookie.ExpireTimeSpan = Lifetime;
            cookie.SlidingExpiration = true;
            cookie.Events.OnValidatePrincipal = ValidateAsync;
            cookie.Events.OnRedirectToLogin = context => AnswerAsync(context, StatusCodes.Status401Unauthorized);
            cookie.Events.OnRedirectToAccessDenied = context => AnswerAsync(context, StatusCodes.Status403Forbidden);
        });
        services.AddAuthorizationBuilder()
            .AddPolicy(SessionPolicy, policy => policy.AddAuthenticationSchemes(Scheme).AddRequirements(new KeyRequirement(Admin: false)))
            .AddPolicy(ReaderPolicy, policy => policy.AddAuthenticationSchemes(ApiKeyHandler.SchemeName, Scheme).AddRequirements(new KeyRequirement(Admin: false)))
            .AddPolicy(VisitorPolicy, policy => policy.AddAuthenticationSchemes(Scheme).RequireAssertion(_ => true));

        // What is written there is no secret of the user's, and its directory is closed to others: no warning is due.
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        var seals = services.AddDataProtection().SetApplicationName("lab");
        if (directory is not null) seals.PersistKeysToFileSystem(directory);
        else seals.UseEphemeralDataProtectionProvider();
    }

    /// <summary>Opens a session for whoever brings a valid key.</summary>
    /// <returns>Whether the key is valid.</returns>
    public static async Task<bool> OpenSessionAsync(this HttpContext context, string key)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(key);
        if (context.RequestServices.GetRequiredService<KeySessions>().Open(key.Trim()) is not { } user) return false;
        await context.SignInAsync(Scheme, user);
        return true;
    }

    /// <summary>Ends the session, if there is one: no copy of its cookie opens anything from now on.</summary>
    public static Task CloseSessionAsync(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.RequestServices.GetRequiredService<KeySessions>().End(context.User);
        return context.SignOutAsync(Scheme);
    }

    private static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        var sessions = context.HttpContext.RequestServices.GetRequiredService<KeySessions>();
        if (context.Principal is { } user && sessions.Find(user) is not null) return;
        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync(Scheme);
    }

    private static Task AnswerAsync(RedirectContext<CookieAuthenticationOptions> context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    /// <summary>The directory of the keys that seal cookies, for its user alone; <c>null</c> where none can be written.</summary>
    private static DirectoryInfo? OpenDirectory(ConfigurationManager configuration)
    {
        var path = configuration[$"{AccessSettings.Section}:{AccessSettings.SessionKeysDirectory}"];
        try
        {
            if (string.IsNullOrEmpty(path)) path = DefaultDirectory();
            if (path is null) return null;
            var directory = OperatingSystem.IsWindows()
                ? Directory.CreateDirectory(path)
                : Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            // One that is there already may be another's, or on a file system that takes nothing.
            var probe = Path.Combine(directory.FullName, Path.GetRandomFileName());
            using (File.Create(probe, bufferSize: 1, FileOptions.DeleteOnClose)) return directory;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string? DefaultDirectory()
    {
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        if (string.IsNullOrEmpty(state) || !Path.IsPathRooted(state))
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
            if (string.IsNullOrEmpty(home)) return null;
            state = Path.Combine(home, ".local", "state");
        }

        return Path.Combine(state, "lab", "sessions");
    }
}
