namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>Disks of no host.</summary>
internal sealed partial class StandIn
{
    /// <summary>Leaves a disk behind, as one that somebody has detached, with the tags of a deployment.</summary>
    /// <param name="gib">Its size.</param>
    public StandInVolume Detach(int gib)
    {
        lock (_lock)
        {
            var tags = new Dictionary<string, string>(_instances.Values.First(instance => instance.Tags.ContainsKey("lab:deployment")).Tags);
            var volume = new StandInVolume(NewId("vol"), 0, tags) { Size = gib, InstanceId = null };
            _volumes.Add(volume.Id, volume);
            return volume;
        }
    }
}
