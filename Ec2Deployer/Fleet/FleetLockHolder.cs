using System.Text;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>The lock, held until it is disposed or this process ends, however it ends.</summary>
internal sealed class FleetLockHolder : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private readonly RunningCommand _command;

    private FleetLockHolder(RunningCommand command) => _command = command;

    /// <summary>Takes the lock.</summary>
    /// <exception cref="DeploymentException">Somebody else has it.</exception>
    public static async Task<FleetLockHolder> TakeAsync(HostConnection host, FleetLock owner, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Timeout);
        var command = await host.StartAsync(LockCommands.Hold, limit.Token);
        try
        {
            await command.WriteAsync(Encoding.UTF8.GetBytes(LockCommands.Write(owner) + "\n"), limit.Token);
            var line = await command.ReadLineAsync(limit.Token);
            if (line == LockCommands.Held) return new(command);
            if (LockCommands.Read(line) is not { } other)
            {
                var result = await command.WaitAsync(1 << 16, limit.Token);
                throw new HostFailedException(host.Host.Name, $"the lock cannot be taken: {result.Error.Trim()}", "Mend that and run the command again.", result.Error);
            }

            var age = owner.Since - other.Since;
            throw new DeploymentException(ExitCode.Locked,
                $"{other.Owner} has been at work on this deployment ('{other.What}') for {age:h\\:mm\\:ss}, and holds the lock on {host.Host.Name}. "
                + "Nothing was changed, and what ran before runs on. Wait until they have ended; if their connection hangs, break the lock with unlock.");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            command.Dispose();
            throw new HostFailedException(host.Host.Name, $"the lock was neither given nor refused within {Timeout.TotalSeconds:0} s", "Look at the host with ssh, and run the command again.");
        }
        catch
        {
            command.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _command.Dispose();
}
