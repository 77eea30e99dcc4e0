using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Lab.ServiceDefaults.Access;

/// <summary>A valid key, or one of the admin scope; fulfilled by everybody as long as no key is configured.</summary>
internal sealed record KeyRequirement(bool Admin) : IAuthorizationRequirement;

internal sealed class KeyRequirementHandler(KeyRing keys) : AuthorizationHandler<KeyRequirement>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, KeyRequirement requirement)
    {
        var allowed = keys.IsEmpty
            || (context.User.Identity?.IsAuthenticated == true
                && (!requirement.Admin || context.User.HasClaim(AccessExtensions.ScopeClaim, AccessExtensions.AdminScope)));
        if (allowed) context.Succeed(requirement);
        return Task.CompletedTask;
    }
}

internal sealed class AccessOptionsValidator : IValidateOptions<AccessOptions>
{
    public ValidateOptionsResult Validate(string? name, AccessOptions options) =>
        options.FirstError() is { } error ? ValidateOptionsResult.Fail(error) : ValidateOptionsResult.Success;
}
