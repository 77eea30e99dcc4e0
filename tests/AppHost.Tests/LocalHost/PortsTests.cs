using Lab.AppHost.LocalHost;

namespace Lab.AppHost.Tests.LocalHost;

public sealed class PortsTests
{
    [Fact]
    public void Assign_Twice_FindsTheSamePorts()
    {
        var (first, second) = (Resources(), Resources());

        Assert.Empty(Ports.Assign(first, "home"));
        Assert.Empty(Ports.Assign(second, "home"));

        Assert.Equal(first.Select(resource => resource.Endpoint!.Port), second.Select(resource => resource.Endpoint!.Port));
        Assert.Distinct(first.Select(resource => resource.Endpoint!.Port));
    }

    [Fact]
    public void Assign_TwoWantTheSamePort_IsATrouble()
    {
        List<ProjectResource> resources = [Resource("a", 28_080), Resource("b", 28_080)];

        Assert.Equal(["b wants port 28080, which another resource has already."], Ports.Assign(resources, "home"));
    }

    private static List<ProjectResource> Resources() => [.. Enumerable.Range(1, 50).Select(number => Resource($"worker-{number}"))];

    private static ProjectResource Resource(string name, int? port = null) => new(name, new TestService()) { Endpoint = new HttpEndpoint(port) };
}
