using Lab.ServiceDefaults.Access;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Mvc;

namespace Lab.Orchestrator.ClusterPage.Access;

/// <summary>The two forms around a session: one takes a key, the other ends what it began.</summary>
internal static class PageAccess
{
    public const string SignInPath = "/sign-in";
    public const string SignOutPath = "/sign-out";

    /// <summary>What the page's address carries when a key was not taken.</summary>
    public const string RefusedQuery = "refused";

    public static void MapPageAccess(this IEndpointRouteBuilder endpoints)
    {
        // Forms of the page, which are no part of the API.
        var forms = endpoints.MapGroup("").OfPage().RequireAuthorization(KeySessionExtensions.VisitorPolicy).ExcludeFromDescription();
        forms.MapPost(SignInPath, SignInAsync);
        forms.MapPost(SignOutPath, SignOutAsync);
    }

    private static async Task<IResult> SignInAsync([FromForm] string? key, HttpContext context) =>
        BackToPage(await context.OpenSessionAsync(key ?? "") ? "" : $"?{RefusedQuery}");

    // The form has nothing but its antiforgery token, and it is the form that makes the token be checked.
    private static async Task<IResult> SignOutAsync([FromForm(Name = "from")] string? from, HttpContext context)
    {
        _ = from;
        await context.CloseSessionAsync();
        return BackToPage("");
    }

    // 303: what follows is a GET, and going back in the browser sends no form again.
    private static BackToPageResult BackToPage(string query) => new(query);

    private sealed class BackToPageResult(string query) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
            httpContext.Response.Headers.Location = $"{httpContext.Request.PathBase}/{query}";
            return Task.CompletedTask;
        }
    }
}
