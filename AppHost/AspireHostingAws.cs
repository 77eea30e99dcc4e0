// Compiled where the package feeds lack Aspire.Hosting.AWS: the few of its names that AppHost.cs uses, with their effect.
#pragma warning disable IDE0130 // The namespaces are the package's.
using Aspire.Hosting.AWS;

namespace Aspire.Hosting.AWS
{
    internal sealed class IAWSSDKConfig
    {
        public Dictionary<string, string> Environment { get; } = [];

        public IAWSSDKConfig With(string name, string value)
        {
            Environment[$"AWS_{name.ToUpperInvariant()}"] = Environment[$"AWS__{name}"] = value;
            return this;
        }
    }
}

namespace Aspire.Hosting
{
    internal static class SDKResourceExtensions
    {
        public static IAWSSDKConfig AddAWSSDKConfig(this IDistributedApplicationBuilder builder) => new();

        public static IAWSSDKConfig WithProfile(this IAWSSDKConfig config, string profile) => config.With("Profile", profile);

        public static IAWSSDKConfig WithRegion(this IAWSSDKConfig config, string systemName) => config.With("Region", systemName);

        // The package asks AWS who the caller is before the application starts; nothing here ever does.
        public static IAWSSDKConfig WithSdkValidation(this IAWSSDKConfig config, bool sdkValidationEnabled) => config;

        public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder, IAWSSDKConfig awsSdkConfig)
            where TDestination : IResourceWithEnvironment
            => builder.WithEnvironment(context =>
            {
                foreach (var (name, value) in awsSdkConfig.Environment) context.EnvironmentVariables[name] = value;
            });
    }
}
