using System.Net;
using Lab.Testing;
using Microsoft.Extensions.Options;
using static Lab.ServiceDefaults.Tests.SampleService;

namespace Lab.ServiceDefaults.Tests.Access;

/// <summary>What is missing, removed or unreadable opens no door.</summary>
public sealed class RestrictionTests : IDisposable
{
    private const string OtherKey = "other-key-0123456789";

    private readonly DirectoryInfo _secrets = Directory.CreateTempSubdirectory("lab-secrets-");

    private string Setting => $"--Access:SecretsDirectory={_secrets.FullName}";

    public void Dispose() => _secrets.Delete(recursive: true);

    [Theory]
    [InlineData("--Access:RequestsPerSecond=5")]
    [InlineData("--Access:SessionKeysDirectory=/tmp/lab-none")]
    [InlineData("--Access:Anonymous=false")]
    public async Task Call_AnythingSetButNoKey_IsRefused(string setting)
    {
        await using var service = await StartAsync(setting);
        await AssertClosedAsync(service);
        Assert.Contains(service.Log, line => line.Contains("no key is in force", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Call_EmptySecretsDirectory_IsRefused()
    {
        await using var service = await StartAsync(Setting);
        await AssertClosedAsync(service);
    }

    [Fact]
    public async Task Call_AnonymousSet_IsEverybodys()
    {
        await using var service = await StartAsync("--Access:Anonymous=true", "--Access:RequestsPerSecond=5");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, key: null));
    }

    [Fact]
    public async Task Call_LastKeyFileRemoved_IsRefusedAndTold()
    {
        Write("Access__Keys__alice", UserKey);
        Write("Access__AdminKeys__root", AdminKey);
        await using var service = await StartAsync(Setting);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, UserKey));
        Remove("Access__Keys__alice");
        await UntilAsync(service, UserKey, HttpStatusCode.Unauthorized);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, AdminKey));
        Remove("Access__AdminKeys__root");
        await UntilAsync(service, AdminKey, HttpStatusCode.Unauthorized);
        await AssertClosedAsync(service);
        Assert.Contains(service.Log, line => line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains("no key is in force", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Access__Keys__alice", "")]
    [InlineData("Access__Keys__alice", "half")]
    [InlineData("Access__Keys__alice", "sha256:0123")]
    [InlineData("Access__Keys__bob", "short")]
    [InlineData("Access__Keys__bob", UserKey)]
    [InlineData("Access__Keys__root", OtherKey)]
    [InlineData("Access__RequestsPerSecond", "many")]
    [InlineData("Access__Burst", "-1")]
    [InlineData("Access__Anonymous", "yes")]
    [InlineData("Access__Anonymous", "true")]
    [InlineData("Access__Key__bob", OtherKey)]
    [InlineData("Access__Keys", OtherKey)]
    public async Task Call_BadFileAppears_AllOthersHoldAndTheLastStateToo(string file, string content)
    {
        Write("Access__Keys__alice", UserKey);
        Write("Access__AdminKeys__root", AdminKey);
        await using var service = await StartAsync(Setting);
        Write(file, content);
        await Eventually.TrueAsync(() => service.Log.Any(line => line.Contains("Passed over", StringComparison.Ordinal)), "the bad file is told");
        Assert.DoesNotContain(service.Log, line => content.Length > 8 && content != "sha256:0123" && line.Contains(content, StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, UserKey));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, AdminKey));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(service, content is UserKey ? null : content));
        // And what comes after it is followed.
        Write("Access__Keys__carol", "carol-key-0123456789");
        await UntilAsync(service, "carol-key-0123456789", HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("Access__Keys__bob", "short")]
    [InlineData("Access__RequestsPerSecond", "many")]
    public async Task Start_BadFile_IsPassedOverAndTold(string file, string content)
    {
        Write("Access__Keys__alice", UserKey);
        Write(file, content);
        await using var service = await StartAsync(Setting);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, UserKey));
        Assert.Contains(service.Log, line => line.Contains("Passed over", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Call_UnreadableFiles_AllOthersHold()
    {
        Write("Access__Keys__alice", UserKey);
        File.WriteAllBytes(Path.Combine(_secrets.FullName, "Access__Keys__huge"), new byte[100_000]);
        File.CreateSymbolicLink(Path.Combine(_secrets.FullName, "Access__Keys__dangling"), "/nonexistent");
        File.CreateSymbolicLink(Path.Combine(_secrets.FullName, "Access__Keys__loop"), "Access__Keys__loop");
        _secrets.CreateSubdirectory("Access__Keys__directory");
        await using var service = await StartAsync(Setting);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, UserKey));
    }

    [Fact]
    public async Task Call_MountedByLinks_FollowsTheRenamedLink()
    {
        // As Kubernetes does it: the files are links through ..data, and that one link is replaced.
        Directory.CreateDirectory(Path.Combine(_secrets.FullName, "..v1"));
        Write("..v1/Access__Keys__alice", UserKey);
        File.CreateSymbolicLink(Path.Combine(_secrets.FullName, "..data"), "..v1");
        File.CreateSymbolicLink(Path.Combine(_secrets.FullName, "Access__Keys__alice"), "..data/Access__Keys__alice");
        await using var service = await StartAsync(Setting);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, UserKey));
        Directory.CreateDirectory(Path.Combine(_secrets.FullName, "..v2"));
        Write("..v2/Access__Keys__alice", OtherKey);
        File.CreateSymbolicLink(Path.Combine(_secrets.FullName, "..data_tmp"), "..v2");
        // rename(2): .NET moves no link to a directory over another.
        Assert.Equal(0, (await ChildProcess.RunAsync("mv", ["-T", "..data_tmp", "..data"], directory: _secrets.FullName)).Code);
        await UntilAsync(service, OtherKey, HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(service, UserKey));
    }

    [Fact]
    public async Task Call_KeyRevokedInAMount_IsRefused()
    {
        using var mount = new KubernetesMount();
        await mount.SetAsync(("Access__Keys__alice", UserKey), ("Access__Keys__bob", OtherKey));
        await using var service = await StartAsync($"--Access:SecretsDirectory={mount.FullName}");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, UserKey));
        await mount.SetAsync(("Access__Keys__bob", OtherKey));
        await UntilAsync(service, UserKey, HttpStatusCode.Unauthorized);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, OtherKey));
    }

    [Fact]
    public async Task Call_KeyFileWithByteOrderMark_IsTheKey()
    {
        File.WriteAllText(Path.Combine(_secrets.FullName, "Access__Keys__alice"), $"{UserKey}\r\n", System.Text.Encoding.UTF8);
        await using var service = await StartAsync(Setting);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, UserKey));
    }

    [Fact]
    public async Task Call_DirectoryGone_KeepsTheKeysAndFollowsItWhenItReturns()
    {
        Write("Access__Keys__alice", UserKey);
        await using var service = await StartAsync(Setting);
        _secrets.Delete(recursive: true);
        await Eventually.TrueAsync(() => service.Log.Any(line => line.Contains("Passed over", StringComparison.Ordinal)), "it is told");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, UserKey));
        _secrets.Create();
        Write("Access__Keys__alice", OtherKey);
        await UntilAsync(service, OtherKey, HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(service, UserKey));
    }

    [Fact]
    public async Task Start_PipeAmongTheFiles_IsPassedOverAndNotWaitedFor()
    {
        Write("Access__Keys__alice", UserKey);
        Assert.Equal(0, (await ChildProcess.RunAsync("mkfifo", [Path.Combine(_secrets.FullName, "Access__Keys__bob")])).Code);
        await using var service = await StartAsync(Setting);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, UserKey));
        Assert.Contains(service.Log, line => line.Contains("is a pipe or a device", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--Access:Key:alice=" + UserKey)]
    [InlineData("--Access:keyz:alice=" + UserKey)]
    [InlineData("--Access:AdminKey:root=" + AdminKey)]
    [InlineData("--Access:Keys=" + UserKey)]
    [InlineData("--Access:RequestPerSecond=5")]
    [InlineData("--Access:RequestsPerSecond=five")]
    [InlineData("--Access:RequestsPerSecond=-1")]
    [InlineData("--Access:Burst=1e9")]
    [InlineData("--Access:Anonymous=maybe")]
    [InlineData("--Access:SecretDirectory=/run/secrets")]
    [InlineData("--Access:SecretsDirectory=/nonexistent/secrets")]
    [InlineData("--Access:Keys:alice=" + UserKey, "--Access:Keys:bob=" + UserKey)]
    [InlineData("--Access:Keys:alice=" + UserKey, "--Access:AdminKeys:alice=" + AdminKey)]
    [InlineData("--Access:Keys:alice=" + UserKey, "--Access:Anonymous=true")]
    public async Task Start_SettingOfNoUse_IsRefusedWithItsNameAndNoValue(params string[] settings)
    {
        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(settings));
        Assert.DoesNotContain(UserKey, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Fact]
    public async Task Call_WrongKeysByTheThousand_AreToldInFewLines()
    {
        await using var service = await StartAsync(Keys);
        for (var i = 0; i < 1000; i++) Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(service, $"wrong-key-{i:D10}"));
        using var forbidden = await service.SendAsync("POST", "/admin", UserKey);
        Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
        Assert.InRange(service.Log.Count(line => line.Contains("refused", StringComparison.Ordinal)), 2, 10);
        Assert.InRange(service.Log.Count, 2, 20);
        Assert.Contains(service.Log, line => line.Contains("127.0.0.1", StringComparison.Ordinal) && line.Contains("unknown key", StringComparison.Ordinal));
        Assert.Contains(service.Log, line => line.Contains("alice", StringComparison.Ordinal) && line.Contains("/admin", StringComparison.Ordinal));
        Assert.DoesNotContain(service.Log, line => line.Contains("wrong-key", StringComparison.Ordinal));
    }

    private static async Task<HttpStatusCode> StatusAsync(SampleService service, string? key)
    {
        var statuses = new List<HttpStatusCode>();
        foreach (var path in (string[])["/fast", "/slow"])
        {
            using var response = await service.SendAsync("GET", path, key);
            statuses.Add(response.StatusCode);
        }

        return Assert.Single(statuses.Distinct());
    }

    private static async Task AssertClosedAsync(SampleService service)
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(service, key: null));
        using var admin = await service.SendAsync("POST", "/admin");
        Assert.Equal(HttpStatusCode.Unauthorized, admin.StatusCode);
    }

    private static Task UntilAsync(SampleService service, string key, HttpStatusCode status) => Eventually.TrueAsync(async () =>
    {
        using var response = await service.SendAsync("GET", "/fast", key);
        return response.StatusCode == status;
    }, $"{status} for a key");

    private void Write(string file, string content) => File.WriteAllText(Path.Combine(_secrets.FullName, file), content);

    private void Remove(string file) => File.Delete(Path.Combine(_secrets.FullName, file));
}
