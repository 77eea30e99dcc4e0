// Compiled where the package feeds lack Aspire.Hosting.AWS: the few of its names that AppHost.cs uses, with their effect.
#pragma warning disable IDE0130 // The namespaces are the package's.
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.AWS;

namespace Aspire.Hosting.AWS
{
    internal interface IAWSSDKConfig
    {
        string? Profile { get; set; }

        string? Region { get; set; }
    }
}

namespace Aspire.Hosting
{
    internal static class SDKResourceExtensions
    {
        public static IAWSSDKConfig AddAWSSDKConfig(this IDistributedApplicationBuilder builder) => new AWSSDKConfig();

        public static IAWSSDKConfig WithProfile(this IAWSSDKConfig config, string profile)
        {
            config.Profile = profile;
            return config;
        }

        public static IAWSSDKConfig WithRegion(this IAWSSDKConfig config, string systemName)
        {
            config.Region = systemName;
            return config;
        }

        // The package asks AWS who the caller is before the application starts; nothing here ever does.
        public static IAWSSDKConfig WithSdkValidation(this IAWSSDKConfig config, bool sdkValidationEnabled) => config;

        public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder, IAWSSDKConfig awsSdkConfig)
            where TDestination : IResourceWithEnvironment
            => builder.WithEnvironment(context =>
            {
                if (context.ExecutionContext.IsPublishMode) return;
                if (awsSdkConfig.Profile is { } profile) context.EnvironmentVariables["AWS_PROFILE"] = context.EnvironmentVariables["AWS__Profile"] = profile;
                if (awsSdkConfig.Region is { } region) context.EnvironmentVariables["AWS_REGION"] = context.EnvironmentVariables["AWS__Region"] = region;
            });

        private sealed class AWSSDKConfig : IAWSSDKConfig
        {
            public string? Profile { get; set; }

            public string? Region { get; set; }
        }
    }
}
