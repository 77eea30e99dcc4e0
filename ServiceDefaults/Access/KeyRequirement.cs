using Microsoft.AspNetCore.Authorization;

namespace Lab.ServiceDefaults.Access;

/// <summary>A valid key, or one of the admin scope; fulfilled by everybody where access is open.</summary>
internal sealed record KeyRequirement(bool Admin) : IAuthorizationRequirement;

internal sealed class KeyRequirementHandler(KeyRing keys) : AuthorizationHandler<KeyRequirement>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, KeyRequirement requirement)
    {
        var allowed = keys.IsOpen
            || (context.User.Identity?.IsAuthenticated == true
                && (!requirement.Admin || context.User.HasClaim(AccessExtensions.ScopeClaim, AccessExtensions.AdminScope)));
        if (allowed) context.Succeed(requirement);
        return Task.CompletedTask;
    }
}
