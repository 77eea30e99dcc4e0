namespace Lab.Ec2Deployer.Planning;

/// <summary>A running machine of a deployment, as everything that speaks to it over SSH needs to know it.</summary>
/// <param name="Name">Unique in the deployment and stable: <c>orchestrator</c>, <c>host-1</c>, <c>host-2</c>, … It is the machine's host name and its name in the Swarm.</param>
/// <param name="Role">What it runs.</param>
/// <param name="Manager">Whether it is to be a manager of the Swarm.</param>
/// <param name="InstanceId">EC2's name for it: <c>i-…</c>.</param>
/// <param name="SshAddress">The address by which the deployer reaches it (public or private, by option).</param>
/// <param name="PrivateAddress">Its IPv4 address inside the VPC, by which the hosts reach one another.</param>
/// <param name="SshPort">1 to 65535; 22 on EC2.</param>
/// <param name="SshUser">The image's user, with <c>sudo</c> and no password; <c>admin</c> on Debian.</param>
/// <param name="HostKey">The SHA-256 fingerprint its SSH server must show, as <c>SHA256:…</c> (base64 without padding), or null: accept any and say so.</param>
internal sealed record DeployedHost(
    string Name,
    HostRole Role,
    bool Manager,
    string InstanceId,
    string SshAddress,
    string PrivateAddress,
    int SshPort,
    string SshUser,
    string? HostKey)
{
    /// <summary>Through what it is reached, or null: there is a way from here.</summary>
    public Bastion? Bastion { get; init; }

    /// <summary>Whether it is to run an orchestrator.</summary>
    /// <param name="onEachManager">Each manager runs one, not only the host of that role.</param>
    public bool RunsOrchestrator(bool onEachManager) => Role is HostRole.Orchestrator || (onEachManager && Manager);
}
