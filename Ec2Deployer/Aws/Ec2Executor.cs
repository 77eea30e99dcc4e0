using Amazon.EC2;
using Amazon.EC2.Model;
using Amazon.Runtime;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>
/// Makes the calls of a plan, in its order. Each may have been made before by a run that was interrupted: what EC2 then
/// answers ("there is one already") counts as done where it is ours.
/// </summary>
/// <param name="calls">Makes the calls.</param>
/// <param name="observer">Reads what is there.</param>
/// <param name="launching">Told of a host and its zone before it is started there, so that a later run makes the same request.</param>
internal sealed class Ec2Executor(Ec2Calls calls, Ec2Observer observer, Action<string, string> launching)
{
    private const int MaxGenerations = 50;
    private readonly Ec2Addresses _addresses = new(calls);

    /// <summary>Executes the plan.</summary>
    /// <returns>How many calls were made.</returns>
    /// <exception cref="DeploymentException">EC2 refused one; those before it stand.</exception>
    public async Task<int> ApplyAsync(DeploymentPlan plan, IProgressSink progress, CancellationToken cancellationToken)
    {
        var done = 0;
        foreach (var action in plan.Actions)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var doing = $"{Doing(action.Kind)} {action.Subject}";
            using var step = progress.Begin(doing);
            step.Say(action.Detail);
            try
            {
                var id = action is LaunchAction launch
                    ? await LaunchAsync(launch, plan, step, progress, cancellationToken)
                    : action is AllocateAction allocate ? await AllocateAsync(allocate, plan, cancellationToken)
                    : await SendAsync(action.Request(plan.Ids), plan, cancellationToken);
                if (id is not null) plan.Ids[action.Subject] = id;
                progress.Audit(RequestText.ActionOf(action.Request(plan.Ids)), id is null ? action.Subject : $"{action.Subject} {id}");
                step.Done(id ?? "done");
                done++;
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                var left = done == 0
                    ? "Nothing was changed by this run."
                    : $"What was done before it stands ({done} of {plan.Actions.Count} steps); hosts that run and Elastic IP addresses cost money until 'destroy'.";
                throw Ec2Errors.Explain(e, doing, plan.Options, left);
            }
        }

        return done;
    }

    private static string Doing(ActionKind kind) => kind switch
    {
        ActionKind.Create => "creating",
        ActionKind.Change => "changing",
        ActionKind.Start => "starting",
        _ => "removing",
    };

    private async Task<string> LaunchAsync(LaunchAction launch, DeploymentPlan plan, IProgressStep step, IProgressSink progress, CancellationToken cancellationToken)
    {
        if (launch.OnDemand is not { } onDemand) return await LaunchAsync(launch, plan, step, cancellationToken);
        try
        {
            return await LaunchAsync(launch, plan, step, cancellationToken);
        }
        catch (AmazonEC2Exception e) when (SpotErrors.IsOfZone(e.ErrorCode) || SpotErrors.IsOfAccount(e.ErrorCode))
        {
            step.Say($"no spot instance ({e.ErrorCode}), trying {onDemand.Zones[0]} on demand");
            var id = await LaunchInsteadAsync(onDemand, plan, step, cancellationToken);
            var usd = SpotCost.OnDemandUsd(plan.Options.Region, launch.Host.InstanceType) is { } price ? $", at {SpotLaunch.Text(price)} US dollars an hour" : "";
            progress.Note($"{launch.Host.Name} runs on demand{usd}: {SpotErrors.Why(e.ErrorCode)} ({e.ErrorCode}). 'publish --replace {launch.Host.Name}' asks for one again.");
            return id;
        }
    }

    private async Task<string> LaunchInsteadAsync(LaunchAction onDemand, DeploymentPlan plan, IProgressStep step, CancellationToken cancellationToken)
    {
        try
        {
            return await LaunchAsync(onDemand, plan, step, cancellationToken);
        }
        catch (AmazonEC2Exception e) when (!Ec2Errors.IsPassing(e))
        {
            // Nothing was started: the next run may ask for a spot instance again.
            launching(onDemand.Host.Name, onDemand.Zones[0]);
            throw;
        }
    }

    private async Task<string> LaunchAsync(LaunchAction launch, DeploymentPlan plan, IProgressStep step, CancellationToken cancellationToken)
    {
        AmazonEC2Exception? full = null;
        for (var zone = 0; ; zone++)
        {
            launching(launch.Host.Name, SpotLaunch.Place(launch.Zones[zone], launch.IsOnDemandInstead));
            try
            {
                for (var generation = 0; ; generation++)
                {
                    var request = (RunInstancesRequest)launch.Request(plan.Ids, launch.Zones[zone], generation);
                    Guard(request);
                    try
                    {
                        var answer = await calls.CallAsync((ec2, cancellationToken) => ec2.RunInstancesAsync(request, cancellationToken), cancellationToken, fresh: true);
                        var id = answer.Reservation.Instances[0].InstanceId;
                        await VisibleAsync(plan.Options.Name, id, cancellationToken);
                        return id;
                    }
                    catch (AmazonEC2Exception e) when (e.ErrorCode == "IdempotentInstanceTerminated" && generation < MaxGenerations)
                    {
                        // The same launch was made before and its instance has ended since: another token, another instance.
                    }
                }
            }
            catch (AmazonEC2Exception e) when (Ec2Errors.IsNoCapacity(e.ErrorCode) || Ec2Errors.IsUnsupported(e.ErrorCode) || (launch.Host.IsSpot && SpotErrors.IsOfZone(e.ErrorCode)))
            {
                var unsupported = Ec2Errors.IsUnsupported(e.ErrorCode);
                if (!unsupported) full = e;
                if (zone + 1 == launch.Zones.Count)
                {
                    // One that is full may have room again; of those that never run the type there is nothing to hope for.
                    if (full is not null && full != e) throw full;
                    throw;
                }

                step.Say($"{launch.Zones[zone]} {(unsupported ? $"does not run {plan.Options.InstanceType}" : $"has no {(launch.Host.IsSpot ? "spot " : "")}capacity ({e.ErrorCode})")}, trying {launch.Zones[zone + 1]}");
            }
        }
    }

    private async Task<string> AllocateAsync(AllocateAction allocate, DeploymentPlan plan, CancellationToken cancellationToken)
    {
        var made = await _addresses.AllocateAsync((AllocateAddressRequest)allocate.Request(plan.Ids), plan.Options.Name, allocate.Host, cancellationToken);
        plan.Ids[AddressPlanner.Address(allocate.Host)] = made.Address;
        return made.Id;
    }

    // Once a list by tag shows it, no later run can take it for missing, whatever becomes of this one.
    private async Task VisibleAsync(string deployment, string id, CancellationToken cancellationToken)
    {
        var seen = await calls.UntilAsync(async cancellationToken =>
            (await observer.InstancesAsync(deployment, cancellationToken)).FirstOrDefault(instance => instance.InstanceId == id), calls.Pace.Consistency, cancellationToken);
        if (seen is null)
        {
            throw new DeploymentException(ExitCode.AwsRefused,
                $"Looking for {id} failed: it was started, but EC2 does not list it after {Durations.Text(calls.Pace.Consistency)}. It costs money until 'destroy'. Run the same command again: it goes on where this one stopped.");
        }
    }

    private async Task<string?> SendAsync(AmazonEC2Request request, DeploymentPlan plan, CancellationToken cancellationToken)
    {
        Guard(request);
        try
        {
            return request switch
            {
                CreateSecurityGroupRequest create => (await Call((ec2, cancellationToken) => ec2.CreateSecurityGroupAsync(create, cancellationToken))).GroupId,
                ImportKeyPairRequest import => (await Call((ec2, cancellationToken) => ec2.ImportKeyPairAsync(import, cancellationToken))).KeyPairId,
                AuthorizeSecurityGroupIngressRequest authorize => await AuthorizeAsync(authorize, cancellationToken),
                RevokeSecurityGroupIngressRequest revoke => Nothing(await Call((ec2, cancellationToken) => ec2.RevokeSecurityGroupIngressAsync(revoke, cancellationToken))),
                StartInstancesRequest start => Nothing(await StartAsync(start, cancellationToken)),
                ModifyInstanceAttributeRequest modify => Nothing(await Call((ec2, cancellationToken) => ec2.ModifyInstanceAttributeAsync(modify, cancellationToken))),
                CreateTagsRequest tags => Nothing(await Call((ec2, cancellationToken) => ec2.CreateTagsAsync(tags, cancellationToken))),
                DeleteTagsRequest tags => Nothing(await Call((ec2, cancellationToken) => ec2.DeleteTagsAsync(tags, cancellationToken))),
                TerminateInstancesRequest terminate => Nothing(await Call((ec2, cancellationToken) => ec2.TerminateInstancesAsync(terminate, cancellationToken))),
                AssociateAddressRequest associate => await Done(_addresses.AssociateAsync(associate, cancellationToken)),
                DisassociateAddressRequest disassociate => await Done(_addresses.DisassociateAsync(disassociate, cancellationToken)),
                ReleaseAddressRequest release => await Done(_addresses.ReleaseAsync(release, cancellationToken)),
                DeleteKeyPairRequest key => Nothing(await Call((ec2, cancellationToken) => ec2.DeleteKeyPairAsync(key, cancellationToken))),
                _ => throw new NotSupportedException(request.GetType().Name),
            };
        }
        catch (AmazonEC2Exception e) when (e.ErrorCode == "InvalidGroup.Duplicate" && request is CreateSecurityGroupRequest create)
        {
            return await AdoptGroupAsync(create, plan, cancellationToken);
        }
        catch (AmazonEC2Exception e) when (e.ErrorCode == "InvalidKeyPair.Duplicate" && request is ImportKeyPairRequest import)
        {
            return await AdoptKeyAsync(import, plan, cancellationToken);
        }
        catch (AmazonEC2Exception e) when (e.ErrorCode == "InvalidPermission.NotFound" && request is RevokeSecurityGroupIngressRequest)
        {
            return null;
        }

        Task<T> Call<T>(Func<IAmazonEC2, CancellationToken, Task<T>> call) => calls.CallAsync(call, cancellationToken, fresh: true);
        static string? Nothing(AmazonWebServiceResponse _) => null;
        static async Task<string?> Done(Task call)
        {
            await call;
            return null;
        }
    }

    // EC2 takes all rules of a request or, if it has one of them already, none.
    private async Task<string?> AuthorizeAsync(AuthorizeSecurityGroupIngressRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await calls.CallAsync((ec2, cancellationToken) => ec2.AuthorizeSecurityGroupIngressAsync(request, cancellationToken), cancellationToken, fresh: true);
        }
        catch (AmazonEC2Exception e) when (e.ErrorCode == "InvalidPermission.Duplicate")
        {
            if (request.IpPermissions.Count == 1) return null;
            foreach (var permission in request.IpPermissions)
                await AuthorizeAsync(new AuthorizeSecurityGroupIngressRequest { GroupId = request.GroupId, IpPermissions = [permission] }, cancellationToken);
        }

        return null;
    }

    // An instance that is still stopping cannot be started yet.
    private async Task<StartInstancesResponse> StartAsync(StartInstancesRequest request, CancellationToken cancellationToken)
    {
        var began = calls.Time.GetTimestamp();
        while (true)
        {
            try
            {
                return await calls.CallAsync((ec2, cancellationToken) => ec2.StartInstancesAsync(request, cancellationToken), cancellationToken, fresh: true);
            }
            catch (AmazonEC2Exception e) when (e.ErrorCode == "IncorrectInstanceState" && calls.Time.GetElapsedTime(began) < calls.Pace.Running)
            {
                await Task.Delay(calls.Pace.Poll, calls.Time, cancellationToken);
            }
        }
    }

    private async Task<string> AdoptGroupAsync(CreateSecurityGroupRequest create, DeploymentPlan plan, CancellationToken cancellationToken)
    {
        // A group is given its tags in the moment in which it is made: one without them is not ours, and will not be.
        var same = await calls.UntilAsync(cancellationToken => observer.GroupAsync(create.GroupName, create.VpcId, cancellationToken), calls.Pace.Consistency, cancellationToken);
        return same?.Tags is { } tags && tags.Exists(tag => tag.Key == LabTags.Deployment && tag.Value == plan.Options.Name) ? same.GroupId : throw new DeploymentException(ExitCode.AwsRefused,
            $"Creating the security group {create.GroupName} failed: the default VPC has one of that name that does not carry the tag {LabTags.Deployment}={plan.Options.Name}, so it is not this deployer's and was not touched. Take another --name, or remove that group.");
    }

    private async Task<string?> AdoptKeyAsync(ImportKeyPairRequest import, DeploymentPlan plan, CancellationToken cancellationToken)
    {
        var wanted = System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(import.PublicKeyMaterial));
        var key = await calls.UntilAsync(cancellationToken => observer.KeyAsync(import.KeyName, cancellationToken), calls.Pace.Consistency, cancellationToken);
        if (key is { Tags: { } tags } && tags.GetValueOrDefault(LabTags.Deployment) != plan.Options.Name)
        {
            throw new DeploymentException(ExitCode.AwsRefused,
                $"Importing the key pair {import.KeyName} failed: {plan.Options.Region} has one of that name that does not carry the tag {LabTags.Deployment}={plan.Options.Name}, so it is not this deployer's and was not touched. Take another --name, or remove that key pair.");
        }

        if (key?.PublicKey == wanted) return null;
        throw new DeploymentException(ExitCode.AwsRefused,
            $"Importing the key pair {import.KeyName} failed: {plan.Options.Region} has one of that name with another key. Nothing was started with it by this run. Run the same command again; if it says the same, 'destroy' removes it.");
    }

    private static void Guard(AmazonEC2Request request)
    {
        if (RequestText.Fields(request).FirstOrDefault(field => Ec2Ids.IsSymbolic(field.Value)) is { Key: not null } open)
            throw new InvalidOperationException($"{open.Key} is {open.Value}: a plan made without EC2's answers cannot be executed.");
    }
}
