using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>Harm to one container.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Container">To whom: <c>worker-3</c>.</param>
internal sealed record HarmRequest(Harm Kind, string Container);
