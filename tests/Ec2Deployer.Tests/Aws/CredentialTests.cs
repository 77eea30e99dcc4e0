using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lab.Testing;

namespace Lab.Ec2Deployer.Tests.Aws;

/// <summary>Where credentials come from, and what is said where they do not: the real SDK in a process of its own, with a home of its own.</summary>
public sealed class CredentialTests : IAsyncLifetime
{
    private const string Config = """
        [default]
        region = eu-north-1
        [profile sso]
        sso_session = school
        sso_account_id = 123456789012
        sso_role_name = Student
        region = eu-central-1
        [sso-session school]
        sso_start_url = https://school.awsapps.com/start
        sso_region = eu-west-1
        sso_registration_scopes = sso:account:access
        [profile legacy]
        sso_start_url = https://old.awsapps.com/start
        sso_region = eu-west-1
        sso_account_id = 123456789012
        sso_role_name = Teacher
        [profile base]
        aws_access_key_id = AKIABASE
        aws_secret_access_key = secret
        [profile role]
        role_arn = arn:aws:iam::123456789012:role/Lab
        source_profile = base
        [profile sso-role]
        role_arn = arn:aws:iam::123456789012:role/Lab
        source_profile = sso
        [profile mfa]
        role_arn = arn:aws:iam::123456789012:role/Lab
        source_profile = base
        mfa_serial = arn:aws:iam::123456789012:mfa/ana
        [profile on-mfa]
        role_arn = arn:aws:iam::123456789012:role/Lab2
        source_profile = mfa
        [profile lost]
        role_arn = arn:aws:iam::123456789012:role/Lab
        source_profile = gone
        [profile process]
        credential_process = /bin/echo '{"Version":1,"AccessKeyId":"AKIAPROCESS","SecretAccessKey":"secret"}'
        [profile slow-process]
        credential_process = sh HOME/slow.sh
        [profile broken-process]
        credential_process = /bin/false
        [profile empty]
        region = eu-west-3
        [profile web]
        role_arn = arn:aws:iam::123456789012:role/Lab
        web_identity_token_file = HOME/token
        """;

    private Ec2Session _session = null!;
    private SignOnStandIn _signOn = null!;

    private string Home => _session.Config;

    public async ValueTask InitializeAsync()
    {
        _session = await Ec2Session.StartAsync();
        _signOn = await SignOnStandIn.StartAsync();
        Directory.CreateDirectory(Path.Combine(Home, ".aws", "sso", "cache"));
        await File.WriteAllTextAsync(Path.Combine(Home, ".aws", "config"), Config.Replace("HOME", Home, StringComparison.Ordinal));
        await File.WriteAllTextAsync(Path.Combine(Home, "token"), "web-token");
        await File.WriteAllTextAsync(Path.Combine(Home, "slow.sh"), "sleep 5; echo '{\"Version\":1,\"AccessKeyId\":\"AKIASLOW\",\"SecretAccessKey\":\"secret\"}'\n");
    }

    public async ValueTask DisposeAsync()
    {
        await _signOn.DisposeAsync();
        await _session.DisposeAsync();
    }

    [Theory]
    [InlineData("sso", "AKIASSO", "sso Student TOKEN")]
    [InlineData("legacy", "AKIASSO", "sso Teacher TOKEN")]
    [InlineData("base", "AKIABASE", "")]
    [InlineData("role", "AKIAROLE", "AssumeRole AKIABASE")]
    [InlineData("sso-role", "AKIAROLE", "sso Student TOKEN, AssumeRole AKIASSO")]
    [InlineData("process", "AKIAPROCESS", "")]
    [InlineData("web", "AKIAROLE", "AssumeRoleWithWebIdentity nobody")]
    public async Task Profile_OfEveryKind_Signs(string profile, string key, string asked)
    {
        SignOn("school", "https://old.awsapps.com/start");

        var run = await RunAsync("status", ("AWS_PROFILE", profile));

        Assert.Contains("There is no deployment 'lab'", run.Error, StringComparison.Ordinal);
        Assert.Equal([key], _session.StandIn.AccessKeys.Distinct());
        Assert.Equal(asked, string.Join(", ", _signOn.Asked));
    }

    [Fact]
    public async Task Profile_SlowProcess_IsWaitedForAndSaidSo()
    {
        var run = await RunAsync("status", ("AWS_PROFILE", "slow-process"));

        Assert.Contains("waiting for AWS credentials", run.Error, StringComparison.Ordinal);
        Assert.Equal(["AKIASLOW"], _session.StandIn.AccessKeys.Distinct());
    }

    [Fact]
    public async Task Environment_Keys_ComeBeforeAProfile()
    {
        await RunAsync("status", ("AWS_PROFILE", "role"), ("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "secret"));

        Assert.Equal(["AKIAENV"], _session.StandIn.AccessKeys.Distinct());
    }

    [Fact]
    public async Task Environment_WebIdentity_Signs()
    {
        await RunAsync("status", ("AWS_WEB_IDENTITY_TOKEN_FILE", Path.Combine(Home, "token")), ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/Lab"));

        Assert.Equal(["AKIAROLE"], _session.StandIn.AccessKeys.Distinct());
    }

    [Fact]
    public async Task Environment_Container_Signs()
    {
        await RunAsync("status", ("AWS_CONTAINER_CREDENTIALS_FULL_URI", $"{_signOn.Address}container"));

        Assert.Equal(["AKIACONTAINER"], _session.StandIn.AccessKeys.Distinct());
    }

    [Theory]
    [InlineData("typo", "the profile 'typo' that AWS_PROFILE names does not exist", "there are base, broken-process")]
    [InlineData("empty", "the profile 'empty' that AWS_PROFILE names has none", "aws configure --profile empty")]
    [InlineData("lost", "takes its credentials from 'gone' (source_profile), which does not exist", "Mend")]
    [InlineData("mfa", "arn:aws:iam::123456789012:mfa/ana (mfa_serial)", "aws configure export-credentials --profile mfa --format env")]
    [InlineData("mfa", "asks nobody for codes", "aws sts get-session-token --serial-number arn:aws:iam::123456789012:mfa/ana --token-code CODE")]
    [InlineData("on-mfa", "the profile 'mfa' asks for a code", "--profile on-mfa --format env")]
    [InlineData("broken-process", "credential_process failed", "Run that program by itself")]
    [InlineData("sso", "no valid single sign-on token", "Run 'aws sso login --profile sso'")]
    [InlineData("legacy", "no valid single sign-on token", "Run 'aws sso login --profile legacy'")]
    public async Task Profile_ThatGivesNone_EndsWithThreeAndTheCause(string profile, string cause, string advice)
    {
        var run = await RunAsync("status", ("AWS_PROFILE", profile));

        AssertRefused(run, cause, advice);
        Assert.Contains(profile, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sso", "sso login --profile sso")]
    [InlineData("sso-role", "sso login --profile sso")]
    public async Task Profile_SignOnTokenExpired_SaysToSignOnAgain(string profile, string advice)
    {
        SignOn(DateTimeOffset.UtcNow.AddHours(-1), "school");

        AssertRefused(await RunAsync("status", ("AWS_PROFILE", profile)), "no valid single sign-on token", advice);
    }

    [Theory]
    [InlineData("sso", "UnauthorizedException", "token is not accepted", "Run 'aws sso login --profile sso'")]
    [InlineData("sso", "ForbiddenException", "no access to the role Student in account 123456789012", "grant that")]
    [InlineData("role", "AccessDenied", "the role arn:aws:iam::123456789012:role/Lab was not given (AWS says AccessDenied: User: ana is not authorized)", "who may assume")]
    [InlineData("web", "InvalidIdentityToken", "role/Lab was not given", "who may assume")]
    public async Task Profile_AwsRefuses_TellsWhatAwsSays(string profile, string code, string cause, string advice)
    {
        SignOn("school");
        _signOn.Refusal = code;

        AssertRefused(await RunAsync("status", ("AWS_PROFILE", profile)), cause, advice);
    }

    [Fact]
    public async Task Profile_SignOnCannotBeReached_SaysSo()
    {
        SignOn("school");

        AssertRefused(await RunAsync("status", ("AWS_PROFILE", "sso"), ("AWS_ENDPOINT_URL_SSO", "http://127.0.0.1:1")), "AWS cannot be reached", "Check the network");
    }

    [Theory]
    [InlineData("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY is not")]
    [InlineData("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID is not")]
    public async Task Environment_HalfOfTheKeys_SaysWhichLacks(string variable, string cause) =>
        AssertRefused(await RunAsync("status", (variable, "AKIAENV")), cause, "Set both");

    [Fact]
    public async Task Config_Torn_IsNamedWithItsFile()
    {
        await File.WriteAllTextAsync(Path.Combine(Home, ".aws", "config"), "[default\nregion = eu-north-1\n", TestContext.Current.CancellationToken);

        var run = await RunAsync("status");

        Assert.Equal(2, run.Code);
        Assert.Contains("~/.aws/config", run.Error, StringComparison.Ordinal);
        Assert.Single(run.ErrorLines);
        AssertRefused(await RunAsync("status --region us-east-1"), "cannot be read", "Mend the file");
        Assert.Contains("cannot be read", (await RunAsync("plan --region us-east-1")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("us-west-1", "us-west-2", "sso", "us-west-1")]
    [InlineData(null, "us-west-2", "sso", "us-west-2")]
    [InlineData("", "", "sso", "eu-central-1")]
    [InlineData(null, null, "base", "us-east-1")]
    [InlineData(null, null, null, "eu-north-1")]
    public async Task Region_Unsaid_IsThatOfTheAwsCli(string? region, string? defaultRegion, string? profile, string expected)
    {
        var run = await RunAsync("plan --offline --json", ("AWS_REGION", region), ("AWS_DEFAULT_REGION", defaultRegion), ("AWS_PROFILE", profile));

        using var plan = JsonDocument.Parse(run.Output);
        Assert.Equal(expected, plan.RootElement.GetProperty("region").GetString());
    }

    [Theory]
    [InlineData(null, "No AWS credentials were found")]
    [InlineData("typo", "the profile 'typo' that AWS_PROFILE names does not exist")]
    [InlineData("sso", "aws sso login --profile sso")]
    public async Task Plan_CredentialsThatCannotBeHad_IsOfflineAndSaysWhy(string? profile, string why)
    {
        var run = await RunAsync("plan", ("AWS_PROFILE", profile));

        Assert.Equal(0, run.Code);
        Assert.Contains("EC2 was not asked what exists. ", run.Output, StringComparison.Ordinal);
        Assert.Contains(why, run.Output, StringComparison.Ordinal);
        Assert.Empty(_session.StandIn.Requests);
    }

    private static void AssertRefused(ProgramRun run, string cause, string advice)
    {
        Assert.Equal(3, run.Code);
        // Beside the progress of what took long.
        Assert.Single(run.ErrorLines, line => !line.StartsWith("  ", StringComparison.Ordinal));
        Assert.Contains(cause, run.Error, StringComparison.Ordinal);
        Assert.Contains(advice, run.Error, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed", run.Error, StringComparison.Ordinal);
    }

    private void SignOn(params string[] sessions) => SignOn(DateTimeOffset.UtcNow.AddHours(1), sessions);

    // As 'aws sso login' leaves it.
    private void SignOn(DateTimeOffset until, params string[] sessions)
    {
        foreach (var session in sessions)
        {
#pragma warning disable CA5350 // The name of the file is the AWS CLI's.
            var name = Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(session)));
#pragma warning restore CA5350
            File.WriteAllText(Path.Combine(Home, ".aws", "sso", "cache", $"{name}.json"),
                JsonSerializer.Serialize(new { startUrl = "https://school.awsapps.com/start", region = "eu-west-1", accessToken = "TOKEN", expiresAt = until.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture) }));
        }
    }

    private Task<ProgramRun> RunAsync(string line, params (string Name, string? Value)[] variables)
    {
        var environment = Environment.GetEnvironmentVariables().Keys.Cast<string>()
            .Where(name => name.StartsWith("AWS_", StringComparison.Ordinal)).ToDictionary(name => name, _ => (string?)null);
        environment["HOME"] = Home;
        environment["XDG_CONFIG_HOME"] = Home;
        environment["AWS_EC2_METADATA_DISABLED"] = "true";
        environment["AWS_ENDPOINT_URL_SSO"] = environment["AWS_ENDPOINT_URL_STS"] = _signOn.Address.AbsoluteUri;
        foreach (var (name, value) in variables) environment[name] = value;
        return ChildProcess.RunAsync("dotnet",
            [typeof(Lab.Ec2Deployer.Commands.DeployerApp).Assembly.Location, .. line.Split(' '), "--endpoint-url", _session.StandIn.Address.AbsoluteUri], environment);
    }
}
