using System.Globalization;
using System.Net.Http.Json;
using System.Reflection;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lab.Browser.Browsing;
using Lab.EndToEnd.Cluster;
using Lab.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lab.Browser.ClusterPage;

/// <summary>The cluster page through the proxies that people put before it, set up as the orchestrator's README shows.</summary>
public sealed class BehindProxyTests(PageFleet fleet) : IClassFixture<PageFleet>, IDisposable
{
    private const string AdminKey = "an-admin-key-for-the-page";
    private const string Path = "/lab";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lab-test-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("nginx", "")]
    [InlineData("nginx", Path)]
    [InlineData("caddy", "")]
    [InlineData("caddy", Path)]
    public async Task Page_AsTheReadmeShows_SignsInUpdatesAndDrains(string program, string path)
    {
        var orchestrator = await StartAsync(new() { ["Access__AdminKeys__root"] = AdminKey, ["Proxies"] = "127.0.0.1" });
        await using var proxy = await StartProxyAsync(program, path, orchestrator);
        await using var tab = await fleet.OpenAtAsync(new(string.Create(CultureInfo.InvariantCulture, $"https://localhost:{proxy.Port}{path}/")));
        var sockets = new List<string>();
        tab.Page.WebSocket += (_, socket) => sockets.Add(socket.Url);
        await tab.Page.GetByLabel("Key").FillAsync(AdminKey);
        await tab.Page.Keyboard.PressAsync("Enter");
        await LiveAsync(tab);
        Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"wss://localhost:{proxy.Port}{path}/_blazor"), Assert.Single(sockets), StringComparison.Ordinal);
        var cookie = Assert.Single(await tab.Page.Context.CookiesAsync(), cookie => cookie.Name == "lab-session");
        Assert.True(cookie.Secure);
        Assert.Equal(path.Length == 0 ? "/" : path, cookie.Path);

        // What others ask appears by itself, and what is pressed here is done.
        using var client = new HttpClient { BaseAddress = orchestrator.Address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", AdminKey);
        using var answer = await client.PostAsJsonAsync("/new_request", new { text = "a text of somebody else" }, Cancellation);
        Assert.True(answer.IsSuccessStatusCode);
        await Expect(tab.Page.GetByText("a text of somebody else").First).ToBeVisibleAsync();
        await tab.Page.GetByLabel("Drain worker-3").ClickAsync();
        await Expect(tab.Page.Locator(".tile").Filter(new() { HasText = "worker-3" }).GetByText("draining")).ToBeVisibleAsync();

        await tab.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(tab.Page.GetByLabel("Key")).ToBeVisibleAsync();
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task Page_BehindNginxThatIsSetToNothing_UpdatesByLongPolling()
    {
        var orchestrator = await StartAsync([]);
        await using var nginx = await ReverseProxy.StartNginxAsync(port => Server(port, $"location / {{ proxy_pass {AddressOf(orchestrator)}; }}"));
        await using var tab = await fleet.OpenAtAsync(new(string.Create(CultureInfo.InvariantCulture, $"http://localhost:{nginx.Port}/")));
        await LiveAsync(tab);
        await Expect(tab.Page.GetByText("stands still")).ToBeHiddenAsync();
        await tab.Page.GetByRole(AriaRole.Textbox, new() { Name = "Sentence" }).FillAsync("a charming film");
        await tab.Page.Keyboard.PressAsync("Enter");
        await Expect(tab.Page.Locator(".answer .label")).ToHaveTextAsync("POSITIVE");
    }

    [Fact]
    public async Task Page_ProxyLetsNoConnectionThrough_SaysSo()
    {
        var orchestrator = await StartAsync([]);
        await using var nginx = await ReverseProxy.StartNginxAsync(port => Server(port, $"location / {{ proxy_pass {AddressOf(orchestrator)}; }} location /_blazor {{ return 403; }}"));
        await using var tab = await fleet.OpenAtAsync(new(string.Create(CultureInfo.InvariantCulture, $"http://localhost:{nginx.Port}/")));
        await Expect(tab.Page.GetByText("stands still")).ToBeVisibleAsync();
    }

    private static string Server(int port, string locations) => string.Create(CultureInfo.InvariantCulture, $"server {{ listen 127.0.0.1:{port}; {locations} }}");

    private static string AddressOf(LabService orchestrator) => orchestrator.Address.ToString().TrimEnd('/');

    private static Task LiveAsync(Tab tab) => tab.Page.Locator("[data-live]").WaitForAsync(new() { State = WaitForSelectorState.Attached });

    private Task<LabService> StartAsync(Dictionary<string, string> settings) => fleet.AddOrchestratorAsync(settings);

    private async Task<ReverseProxy> StartProxyAsync(string program, string path, LabService orchestrator)
    {
        var (certificate, key) = await MakeCertificateAsync();
        var shown = await ReadmeBlockAsync(program);
        if (program == "nginx")
        {
            if (path.Length > 0)
                shown = Replace(Replace(Replace(shown, "location / {", $"location {path}/ {{"), "127.0.0.1:8080;", "127.0.0.1:8080/;"), "X-Forwarded-Prefix \"\"", $"X-Forwarded-Prefix {path}");
            return await ReverseProxy.StartNginxAsync(port => Replace(Replace(Replace(Replace(shown,
                "listen 443", string.Create(CultureInfo.InvariantCulture, $"listen 127.0.0.1:{port}")),
                "/etc/ssl/lab.pem", certificate), "/etc/ssl/lab.key", key), "127.0.0.1:8080", orchestrator.Address.Authority));
        }

        if (path.Length > 0)
            shown = Replace(Replace(shown, "reverse_proxy", $"handle_path {path}/* {{\n  reverse_proxy"), "-X-Forwarded-Prefix\n  }", $"X-Forwarded-Prefix {path}\n  }}\n  }}");
        return await ReverseProxy.StartCaddyAsync(port => Replace(Replace(shown,
            "lab.example {", string.Create(CultureInfo.InvariantCulture, $"https://localhost:{port} {{\n  bind 127.0.0.1\n  tls {certificate} {key}")),
            "127.0.0.1:8080", orchestrator.Address.Authority));
    }

    // Fails where the README shows it no longer.
    private static string Replace(string text, string shown, string own)
    {
        Assert.Contains(shown, text, StringComparison.Ordinal);
        return text.Replace(shown, own, StringComparison.Ordinal);
    }

    private static async Task<string> ReadmeBlockAsync(string language)
    {
        var tests = typeof(BehindProxyTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "BrowserTests").Value!;
        var readme = await File.ReadAllTextAsync(System.IO.Path.Combine(tests, "..", "..", "Orchestrator", "README.md"), Cancellation);
        return readme.Split($"```{language}\n")[1].Split("```")[0];
    }

    private async Task<(string Certificate, string Key)> MakeCertificateAsync()
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", pair, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var (certificate, key) = (System.IO.Path.Combine(_directory.FullName, "lab.pem"), System.IO.Path.Combine(_directory.FullName, "lab.key"));
        await File.WriteAllTextAsync(certificate, made.ExportCertificatePem(), Cancellation);
        await File.WriteAllTextAsync(key, pair.ExportPkcs8PrivateKeyPem(), Cancellation);
        return (certificate, key);
    }
}
