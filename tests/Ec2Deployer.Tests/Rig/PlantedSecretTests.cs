using System.Diagnostics;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>Who finds nothing must be able to find something.</summary>
public sealed class PlantedSecretTests
{
    private const string Text = "planted-5b21-to-be-found";

    [Theory]
    [InlineData("cmdline")]
    [InlineData("environ")]
    public async Task Processes_OneHasIt_IsSeen(string where)
    {
        await using var secret = new PlantedSecret(Text);
        // It waits for its input, which ends with this test.
        var start = new ProcessStartInfo("sh", ["-c", "read -r line", where == "cmdline" ? Text : "nothing"]) { RedirectStandardInput = true };
        if (where == "environ") start.Environment["PLANTED"] = Text;

        using var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (secret.Processes.Count == 0) await Task.Delay(10, limit.Token);

        Assert.Equal($"/proc/{process.Id}/{where}", Assert.Single(secret.Processes));
        process.StandardInput.Close();
        await process.WaitForExitAsync(limit.Token);
    }

    [Fact]
    public async Task FilesBelow_LargeFileWithItAcrossTwoReads_IsFound()
    {
        var directory = Directory.CreateTempSubdirectory("lab-planted-");
        try
        {
            await using var secret = new PlantedSecret(Text);
            foreach (var before in (int[])[0, (1 << 20) - 10, (2 << 20) - Text.Length])
                await File.WriteAllTextAsync(Path.Combine(directory.FullName, $"{before}"), new string('x', before) + Text + "end", TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "other"), new string('x', 3 << 20) + Text[1..], TestContext.Current.CancellationToken);

            var found = await secret.FilesBelowAsync(directory.FullName);

            Assert.Equal(["0", "1048566", "2097128"], found.Select(Path.GetFileName).Order(StringComparer.Ordinal));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
