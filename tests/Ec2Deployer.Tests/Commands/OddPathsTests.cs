using Lab.Ec2Deployer.Commands;
using Lab.Ec2Deployer.Planning;
using Lab.Testing;

namespace Lab.Ec2Deployer.Tests.Commands;

public sealed class OddPathsTests
{
    [Theory]
    [InlineData("/home/ana/.config/lab/lab/id_ed25519", "/home/ana/.config/lab/lab/known_host.host-1")]
    [InlineData("/home/a na/50%/it's, a=b;\"c\" ü/id", "/home/a na/50%/it's, a=b;\"c\" ü/known")]
    public async Task SshArguments_AnyPath_IsOneFileToOpenSsh(string key, string known)
    {
        var host = new DeployedHost("host-1", HostRole.Worker, true, "i-1", "192.0.2.1", "10.0.0.1", 22, "admin", null);

        var run = await ChildProcess.RunAsync("ssh", ["-G", .. SshCommand.Arguments(host, key, known, [])]);

        Assert.Equal(0, run.Code);
        var lines = run.Output.Split('\n');
        Assert.Contains($"userknownhostsfile {known}", lines);
        // What is to be expanded in the name of a key is only when the key is used.
        Assert.Equal([$"identityfile {key.Replace("%", "%%", StringComparison.Ordinal)}"], lines.Where(line => line.StartsWith("identityfile ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Remember_RelativeFile_IsFoundFromAnotherDirectory()
    {
        var parse = new System.CommandLine.Command("publish").WithShape().Parse("--model models/mine --certificate https.pem --image-name models/mine");

        var remembered = Settings.Remember(parse, new Dictionary<string, string>(), new DeploymentOptions());

        Assert.Equal(Path.GetFullPath("models/mine"), remembered["--model"]);
        Assert.Equal(Path.GetFullPath("https.pem"), remembered["--certificate"]);
        Assert.Equal("models/mine", remembered["--image-name"]);
    }
}
