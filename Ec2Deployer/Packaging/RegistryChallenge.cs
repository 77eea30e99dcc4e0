using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>How a registry wants to be asked: the <c>Bearer</c> challenge of its refusal (RFC 6750, and the distribution project's token specification).</summary>
/// <param name="Realm">The token service.</param>
/// <param name="Service">What the token service calls the registry, or nothing.</param>
/// <param name="Scope">What the token is for, or null where the registry does not say.</param>
internal sealed partial record RegistryChallenge(Uri Realm, string Service, string? Scope)
{
    private static readonly string[] TokenNames = ["token", "access_token"];

    /// <summary>Reads it, or gives null where the registry takes no such tokens.</summary>
    public static RegistryChallenge? Read(HttpHeaderValueCollection<AuthenticationHeaderValue> challenges)
    {
        var parameters = challenges.FirstOrDefault(one => one.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))?.Parameter ?? "";
        // A comma may be inside quotes: scope="repository:dotnet/aspnet:pull,push".
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (Match field in Field().Matches(parameters))
            fields.TryAdd(field.Groups["name"].Value, field.Groups["quoted"] is { Success: true } quoted ? Escaped().Replace(quoted.Value, "$1") : field.Groups["plain"].Value);
        return Uri.TryCreate(fields.GetValueOrDefault("realm"), UriKind.Absolute, out var realm) && (realm.Scheme == Uri.UriSchemeHttps || (realm.Scheme == Uri.UriSchemeHttp && realm.IsLoopback))
            ? new(realm, fields.GetValueOrDefault("service", ""), fields.GetValueOrDefault("scope"))
            : null;
    }

    /// <summary>Where the token for pulling a repository is asked for.</summary>
    public Uri TokenAddress(string repository)
    {
        var query = $"service={Uri.EscapeDataString(Service)}&scope={Uri.EscapeDataString(Scope ?? $"repository:{repository}:pull")}";
        return new UriBuilder(Realm) { Query = Realm.Query is { Length: > 1 } own ? $"{own[1..]}&{query}" : query }.Uri;
    }

    /// <summary>The token of the service's answer, which calls it <c>token</c> or, as OAuth 2.0 does, <c>access_token</c>; null where there is none.</summary>
    /// <exception cref="JsonException">The answer is no JSON.</exception>
    public static string? Token(string answer)
    {
        using var document = JsonDocument.Parse(answer);
        if (document.RootElement.ValueKind is not JsonValueKind.Object) return null;
        return TokenNames
            .Select(name => document.RootElement.TryGetProperty(name, out var token) && token.ValueKind is JsonValueKind.String ? token.GetString() : null)
            .FirstOrDefault(token => !string.IsNullOrEmpty(token));
    }

    [GeneratedRegex("""(?<name>[A-Za-z_]+)\s*=\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<plain>[^\s,"]+))""")]
    private static partial Regex Field();

    [GeneratedRegex(@"\\(.)")]
    private static partial Regex Escaped();
}
