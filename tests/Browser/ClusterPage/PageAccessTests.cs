using System.Net;
using Lab.Browser.Browsing;
using Lab.EndToEnd.Cluster;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lab.Browser.ClusterPage;

/// <summary>The cluster page where keys are set: who gets in, what they may do, and when it ends.</summary>
public sealed class PageAccessTests(PageFleet fleet) : IClassFixture<PageFleet>
{
    private const string UserKey = "an-ordinary-key-for-the-page";
    private const string AdminKey = "an-admin-key-for-the-page";
    private const string CookieName = "lab-session";
    private static readonly LocatorAssertionsToBeVisibleOptions Patiently = new() { Timeout = 30_000 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Page_WithoutSession_IsAFormAndNothingElse()
    {
        var orchestrator = await WithKeysAsync();
        await using var tab = await fleet.OpenAsync(orchestrator: orchestrator);
        await Expect(tab.Page.GetByLabel("Key")).ToBeVisibleAsync();
        Assert.DoesNotContain("worker-1", await tab.Page.ContentAsync(), StringComparison.Ordinal);
        await tab.CheckAccessibilityAsync();
        await tab.CheckFitsAsync();

        using var client = new HttpClient { BaseAddress = orchestrator.Address };
        foreach (var path in (string[])["/_blazor/negotiate?negotiateVersion=1", "/_blazor/disconnect"])
        {
            using var response = await client.PostAsync(path, content: null, Cancellation);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }
    }

    [Fact]
    public async Task SignIn_WrongKey_IsRefused()
    {
        var orchestrator = await WithKeysAsync();
        await using var tab = await fleet.OpenAsync(orchestrator: orchestrator);
        await SignInAsync(tab, "not-one-of-the-keys-at-all");
        await Expect(tab.Page.GetByText("That is none of the keys.")).ToBeVisibleAsync();
        Assert.DoesNotContain(await tab.Page.Context.CookiesAsync(), cookie => cookie.Name == CookieName);
    }

    [Fact]
    public async Task SignIn_OrdinaryKey_ShowsTheClusterWithoutDrain()
    {
        var orchestrator = await WithKeysAsync();
        await using var tab = await fleet.OpenAsync(orchestrator: orchestrator);
        await SignInAsync(tab, UserKey);
        await Expect(tab.Page.GetByText("worker-1").First).ToBeVisibleAsync();
        await Expect(tab.Page.GetByLabel("Drain worker-1")).ToHaveCountAsync(0);

        var cookie = Assert.Single(await tab.Page.Context.CookiesAsync(), cookie => cookie.Name == CookieName);
        Assert.True(cookie.HttpOnly);
        Assert.Equal(SameSiteAttribute.Strict, cookie.SameSite);
        Assert.DoesNotContain(UserKey, cookie.Value, StringComparison.Ordinal);

        // Not even for the API is the cookie as good as the key.
        var answer = await tab.Page.APIRequest.GetAsync(new Uri(orchestrator.Address, "/workers").ToString());
        Assert.Equal((int)HttpStatusCode.Unauthorized, answer.Status);

        // The API's description can be read with it, for a browser can send no key.
        var description = await tab.Page.APIRequest.GetAsync(new Uri(orchestrator.Address, "/scalar").ToString());
        Assert.Equal((int)HttpStatusCode.OK, description.Status);
        Assert.Equal(HttpStatusCode.OK, await NegotiateAsync(orchestrator, cookie.Value));

        await tab.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(tab.Page.GetByLabel("Key")).ToBeVisibleAsync();
        Assert.DoesNotContain(await tab.Page.Context.CookiesAsync(), left => left.Name == CookieName);
        // A copy of the cookie is worth nothing any more, also after a restart.
        Assert.Equal(HttpStatusCode.Unauthorized, await NegotiateAsync(orchestrator, cookie.Value));
        await orchestrator.KillAsync();
        await fleet.StartAsync(orchestrator);
        Assert.Equal(HttpStatusCode.Unauthorized, await NegotiateAsync(orchestrator, cookie.Value));
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task SignIn_AdminKey_DrainsAndSurvivesARestart()
    {
        var orchestrator = await WithKeysAsync();
        await using var tab = await fleet.OpenAsync(orchestrator: orchestrator);
        await SignInAsync(tab, AdminKey);
        await tab.Page.Locator("[data-live]").WaitForAsync(new() { State = WaitForSelectorState.Attached });
        await tab.Page.GetByLabel("Drain worker-1").ClickAsync();
        await Expect(tab.Page.GetByLabel("Resume worker-1")).ToBeVisibleAsync();
        await Expect(tab.Page.Locator(".tile").First.GetByText("draining")).ToBeVisibleAsync();

        await orchestrator.KillAsync();
        await fleet.StartAsync(orchestrator);
        await tab.Page.ReloadAsync();
        await Expect(tab.Page.GetByLabel("Drain worker-1")).ToBeVisibleAsync(Patiently);
    }

    [Fact]
    public async Task Session_KeyRemoved_EndsWithIt()
    {
        BrowserFixture.SkipWithoutChromium();
        var secrets = Directory.CreateTempSubdirectory("lab-secrets-");
        await File.WriteAllTextAsync(Path.Combine(secrets.FullName, "Access__Keys__alice"), UserKey, Cancellation);
        var admin = Path.Combine(secrets.FullName, "Access__AdminKeys__root");
        await File.WriteAllTextAsync(admin, AdminKey, Cancellation);
        var orchestrator = await fleet.AddOrchestratorAsync(new() { ["Access__SecretsDirectory"] = secrets.FullName });
        await using var tab = await fleet.OpenAsync(orchestrator: orchestrator);
        await SignInAsync(tab, AdminKey);
        await tab.Page.Locator("[data-live]").WaitForAsync(new() { State = WaitForSelectorState.Attached });

        File.Delete(admin);
        // By itself, without any request of the browser's.
        await Expect(tab.Page.GetByLabel("Key")).ToBeVisibleAsync(Patiently);
        secrets.Delete(recursive: true);
    }

    [Fact]
    public async Task Form_WithoutAntiforgeryToken_IsRefused()
    {
        var orchestrator = await WithKeysAsync();
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = orchestrator.Address };
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["key"] = AdminKey });
        using var response = await client.PostAsync("/sign-in", form, Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task Page_Always_HasItsHeadersAndIsRefusedToOtherSites()
    {
        BrowserFixture.SkipWithoutChromium();
        using var client = new HttpClient { BaseAddress = fleet.Orchestrator.Address };
        using var page = await client.GetAsync("/", Cancellation);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Equal(["nosniff"], page.Headers.GetValues("X-Content-Type-Options"));
        Assert.True(page.Headers.CacheControl?.NoStore);
        Assert.DoesNotContain("<script>", await page.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);

        foreach (var (name, value) in ((string, string)[])[("Sec-Fetch-Site", "cross-site"), ("Origin", "http://elsewhere.example")])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/_blazor/negotiate?negotiateVersion=1");
            request.Headers.Add(name, value);
            using var response = await client.SendAsync(request, Cancellation);
            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        }
    }

    private Task<LabService> WithKeysAsync() => fleet.AddOrchestratorAsync(new()
    {
        ["Access__Keys__alice"] = UserKey,
        ["Access__AdminKeys__root"] = AdminKey,
    });

    private static async Task<HttpStatusCode> NegotiateAsync(LabService orchestrator, string cookie)
    {
        using var client = new HttpClient(new HttpClientHandler { UseCookies = false }) { BaseAddress = orchestrator.Address };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/_blazor/negotiate?negotiateVersion=1");
        request.Headers.Add("Cookie", $"{CookieName}={cookie}");
        using var response = await client.SendAsync(request, Cancellation);
        return response.StatusCode;
    }

    private static async Task SignInAsync(Tab tab, string key)
    {
        await tab.Page.GetByLabel("Key").FillAsync(key);
        await tab.Page.Keyboard.PressAsync("Enter");
    }
}
