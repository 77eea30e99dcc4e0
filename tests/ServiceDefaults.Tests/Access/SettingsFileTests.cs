using System.Net;
using Lab.Testing;
using static Lab.ServiceDefaults.Tests.SampleService;

namespace Lab.ServiceDefaults.Tests.Access;

/// <summary>Keys in <c>appsettings.json</c>, which is followed as secret files are.</summary>
public sealed class SettingsFileTests
{
    private const string OtherKey = "other-key-0123456789";

    [Fact]
    public async Task Call_SettingsMountedByLinks_FollowsThem()
    {
        using var mount = new KubernetesMount();
        await mount.SetAsync(Settings(UserKey));
        await using var service = await StartAsync($"--contentRoot={mount.FullName}");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, UserKey));

        await mount.SetAsync(Settings(OtherKey));
        await UntilAsync(service, OtherKey, HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(service, UserKey));
    }

    [Fact]
    public async Task Call_SettingsHalfWritten_KeepsThemAndSaysSo()
    {
        using var mount = new KubernetesMount();
        await mount.SetAsync(Settings(UserKey));
        await using var service = await StartAsync($"--contentRoot={mount.FullName}");
        await mount.SetAsync(("appsettings.json", Settings(OtherKey).Content[..40]));
        await Eventually.TrueAsync(() => service.Log.Any(line => line.Contains("kept as they were", StringComparison.Ordinal)), "it is told", () => string.Join('\n', service.Log));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, UserKey));

        // Gone: no key is in force, and nothing opens.
        await mount.SetAsync();
        await UntilAsync(service, UserKey, HttpStatusCode.Unauthorized);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(service, key: null));
        await mount.SetAsync(Settings(OtherKey));
        await UntilAsync(service, OtherKey, HttpStatusCode.OK);
        Assert.All(service.Log, line => Assert.DoesNotContain(OtherKey, line, StringComparison.Ordinal));
    }

    private static (string Name, string Content) Settings(string key) => ("appsettings.json", $$"""{ "Access": { "Keys": { "alice": "{{key}}" } } }""");

    private static async Task<HttpStatusCode> StatusAsync(SampleService service, string? key)
    {
        using var response = await service.SendAsync("GET", "/fast", key);
        return response.StatusCode;
    }

    private static Task UntilAsync(SampleService service, string key, HttpStatusCode status) =>
        Eventually.TrueAsync(async () => await StatusAsync(service, key) == status, $"{status} for a key", () => string.Join('\n', service.Log));
}
