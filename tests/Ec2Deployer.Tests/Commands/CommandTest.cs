using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Commands;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>
/// Command lines as a user gives them, before the stand-in or before no AWS at all. One at a time, for the commands
/// share their options' definitions.
/// </summary>
[Collection("command lines")]
public abstract class CommandTest
{
    private protected FakeFleet Fleet { get; } = new();

    private protected bool HasCredentials { get; set; } = true;

    /// <summary>Stand-ins for other regions than the session's own.</summary>
    private protected Dictionary<string, Ec2StandIn.StandIn> Regions { get; } = [];

    /// <summary>The endpoints of the clients that were made.</summary>
    private protected List<Uri?> Endpoints { get; } = [];

    /// <summary>What AWS's own variables put in AWS's place.</summary>
    private protected Uri? ConfiguredEndpoint { get; set; }

    /// <summary>What the user types when asked, or null: nobody is there.</summary>
    private protected string? Answer { get; set; }

    /// <summary>What makes load.</summary>
    private protected IReadOnlyList<string> LoadGenerator { get; set; } = ["/no/such/program"];

    private protected CancellationToken Interrupt { get; set; } = TestContext.Current.CancellationToken;

    private protected async Task<(int Code, string Out, string Error)> RunAsync(Ec2Session session, string line)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        using var input = new StringReader($"{Answer}\n");
        var code = await DeployerApp.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), new CommandEnvironment
        {
            Out = output,
            Error = error,
            In = input,
            InIsTerminal = Answer is not null,
            Ec2 = (region, endpoint, _) =>
            {
                Endpoints.Add(endpoint);
                return Task.FromResult(HasCredentials ? Regions.GetValueOrDefault(region, session.StandIn).Client() : null);
            },
            Identity = (region, _) => new StsCaller(Regions.GetValueOrDefault(region, session.StandIn).StsClient, TimeProvider.System),
            ConfiguredEndpoint = () => ConfiguredEndpoint,
            ConfiguredRegion = () => null,
            Caller = new KnownCaller(),
            Fleet = () => Fleet,
            LoadGenerator = () => LoadGenerator,
            Self = ["/opt/lab deployer", "first"],
            Home = session.Home,
            Pace = Ec2Session.Pace,
        }, Interrupt);
        return (code, output.ToString(), error.ToString());
    }

    private sealed class KnownCaller : ICallerAddress
    {
        public Task<string> AskAsync(CancellationToken cancellationToken) => Task.FromResult("192.0.2.1");
    }
}
