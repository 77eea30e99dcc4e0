using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.AWS;

namespace Aspire.Hosting.AWS
{
    /// <summary>Which AWS account and region a resource uses.</summary>
    public interface IAWSSDKConfig
    {
        /// <summary>The name of a profile in the user's AWS configuration, or null for the SDK's own chain.</summary>
        string? Profile { get; set; }
    }

    internal sealed class AWSSDKConfig : IAWSSDKConfig
    {
        public string? Profile { get; set; }

        public string? Region { get; set; }
    }
}

namespace Aspire.Hosting
{
    /// <summary>Tells resources which AWS account and region to use.</summary>
    public static class SDKResourceExtensions
    {
        /// <summary>Begins such a configuration.</summary>
        public static IAWSSDKConfig AddAWSSDKConfig(this IDistributedApplicationBuilder builder) => new AWSSDKConfig();

        /// <summary>Sets the profile.</summary>
        public static IAWSSDKConfig WithProfile(this IAWSSDKConfig config, string profile)
        {
            config.Profile = profile;
            return config;
        }

        /// <summary>Sets the region by its name, such as <c>eu-central-1</c>.</summary>
        public static IAWSSDKConfig WithRegion(this IAWSSDKConfig config, string systemName)
        {
            ((AWSSDKConfig)config).Region = systemName;
            return config;
        }

        /// <summary>Whether the account is asked about before anything starts, which LocalHost never does.</summary>
        public static IAWSSDKConfig WithSdkValidation(this IAWSSDKConfig config, bool sdkValidationEnabled) => config;

        /// <summary>Gives the resource the configuration, in the SDK's environment variables.</summary>
        public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder, IAWSSDKConfig awsSdkConfig)
            where TDestination : IResourceWithEnvironment
        {
            if (awsSdkConfig.Profile is { } profile)
                builder.WithEnvironment("AWS_PROFILE", profile).WithEnvironment("AWS__Profile", profile);
            if (((AWSSDKConfig)awsSdkConfig).Region is { } region)
                builder.WithEnvironment("AWS_REGION", region).WithEnvironment("AWS__Region", region);
            return builder;
        }
    }
}
