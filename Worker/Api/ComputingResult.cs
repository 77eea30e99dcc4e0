using System.Globalization;
using System.Text;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Worker.Api;

/// <summary>
/// 429 for a dispatch while another is computed: the refusal that orchestrators meet where they share a worker, written
/// without what makes a problem's details slow, and with the time after which to come again.
/// </summary>
/// <param name="busyMs">In about how many milliseconds the worker will be free.</param>
internal sealed class ComputingResult(int busyMs) : IResult
{
    private static readonly byte[] Body = Encoding.UTF8.GetBytes(
        $$"""{"title":"{{RunModelEndpoint.Computing.Title}}","status":429,"detail":"{{RunModelEndpoint.Computing.Detail}}"}""");

    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = StatusCodes.Status429TooManyRequests;
        response.ContentType = ErrorShape.Problem.MediaType;
        response.ContentLength = Body.Length;
        response.Headers.RetryAfter = "1";
        response.Headers[DispatchHeaders.Busy] = busyMs.ToString(CultureInfo.InvariantCulture);
        return response.Body.WriteAsync(Body, httpContext.RequestAborted).AsTask();
    }
}
