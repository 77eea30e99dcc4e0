// Compiled where the package feeds lack Aspire.Hosting.AWS: the few of its names that AppHost.cs uses, with their effect.
#pragma warning disable IDE0130 // The namespace is the package's.
namespace Aspire.Hosting;

internal sealed class AwsSdkConfig : Dictionary<string, string>
{
    public AwsSdkConfig WithProfile(string profile) => With("AWS_PROFILE", profile);

    public AwsSdkConfig WithRegion(string systemName) => With("AWS_REGION", systemName);

    // The package asks AWS who the caller is before the application starts; nothing here ever does.
    public AwsSdkConfig WithSdkValidation(bool _) => this;

    private AwsSdkConfig With(string name, string value)
    {
        this[name] = value;
        return this;
    }
}

internal static class SDKResourceExtensions
{
    public static AwsSdkConfig AddAWSSDKConfig(this IDistributedApplicationBuilder _) => new();

    public static IResourceBuilder<T> WithReference<T>(this IResourceBuilder<T> builder, AwsSdkConfig config) where T : IResourceWithEnvironment
        => builder.WithEnvironment(context => { foreach (var (name, value) in config) context.EnvironmentVariables[name] = value; });
}
