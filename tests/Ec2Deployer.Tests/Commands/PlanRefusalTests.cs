using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>What <c>publish</c> refuses without asking AWS, <c>plan</c> refuses in the same words; and both tell of the quota.</summary>
public sealed class PlanRefusalTests : CommandTest
{
    [Theory]
    [InlineData("--base-image ubuntu", "names no registry")]
    [InlineData("--certificate /nosuch", "--certificate /nosuch cannot be used")]
    [InlineData("--postgres /nosuch", "--postgres /nosuch cannot be used")]
    [InlineData("--model /nosuch", "--model /nosuch cannot be used")]
    [InlineData("--replace host-9", "--replace 'host-9' is no host")]
    [InlineData("--replace worker-1", "--replace 'worker-1' is no host")]
    [InlineData("--subnet vpc-1", "is no subnet")]
    [InlineData("--tag aws:x=1", "aws:x")]
    [InlineData("--owner a/b", "is no owner")]
    [InlineData("", "id_ed25519", "id_ed25519")]
    [InlineData("", "is empty", "api-key")]
    public async Task Plan_WhatPublishRefusesWithoutAnAccount_IsRefusedAlike(string options, string words, string? file = null)
    {
        await using var session = await Ec2Session.StartAsync();
        if (file is not null) session.DirectoryOf().WriteSecret(Path.Combine(session.DirectoryOf().Path, file), "");

        var published = await RunAsync(session, $"publish {options}");
        HasCredentials = false;
        var planned = await RunAsync(session, $"plan {options}");
        var offline = await RunAsync(session, $"plan --offline {options}");

        Assert.Contains(words, published.Error, StringComparison.Ordinal);
        Assert.Equal((published.Code, published.Code), (planned.Code, offline.Code));
        Assert.Equal((published.Error, published.Error), (planned.Error, offline.Error));
        Assert.Empty(session.StandIn.Mutations);
    }

    [Fact]
    public async Task Plan_NoPlaceForWhatIsKept_IsRefusedAsByPublish()
    {
        await using var session = await Ec2Session.StartAsync();
        File.WriteAllText(session.Home, "");

        var published = await RunAsync(session, "publish");
        var planned = await RunAsync(session, "plan --offline");

        Assert.Equal(((int)ExitCode.Failed, published.Error), (planned.Code, planned.Error));
        Assert.Contains("cannot be written", planned.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--offline", "us-east-1. What it allows, EC2 does not tell: 'aws service-quotas get-service-quota --service-code ec2 --quota-code L-1216C47A --region us-east-1' does")]
    [InlineData("", "(L-1216C47A) must allow 10. What it allows, EC2 does not tell: 'aws service-quotas get-service-quota --service-code ec2 --quota-code L-1216C47A --region us-east-1' does")]
    [InlineData("--offline --instance-type p3.2xlarge", "'Running On-Demand … instances' of the family of p3.2xlarge in us-east-1. What it allows, EC2 does not tell: 'aws service-quotas list-service-quotas --service-code ec2 --region us-east-1' does")]
    public async Task Plan_Launches_TellsTheQuotaAndHowToLook(string options, string words)
    {
        await using var session = await Ec2Session.StartAsync();

        Assert.Contains(words, (await RunAsync(session, $"plan {options}")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_QuotaUsedUp_NamesIt()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.DryRunFault = action => action == "RunInstances" ? Ec2Fault.VcpuLimit : null;

        var result = await RunAsync(session, "publish");

        Assert.Contains("It is 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances' (L-1216C47A); what it allows, 'aws service-quotas get-service-quota", result.Error, StringComparison.Ordinal);
    }
}
