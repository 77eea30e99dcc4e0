using System.Collections.Concurrent;
using System.Text.Json;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lab.Ec2Deployer.Tests.Aws;

/// <summary>What hands out credentials: single sign-on's portal, STS, and the address that containers ask.</summary>
internal sealed class SignOnStandIn : IAsyncDisposable
{
    private static readonly XNamespace Sts = "https://sts.amazonaws.com/doc/2011-06-15/";
    private static readonly DateTimeOffset End = DateTimeOffset.UtcNow.AddHours(1);
    private readonly WebApplication _web;

    private SignOnStandIn(WebApplication web) => _web = web;

    public Uri Address { get; private set; } = null!;

    /// <summary>One word for each answer given.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>The code of the error that everybody gets, or null.</summary>
    public string? Refusal { get; set; }

    public static async Task<SignOnStandIn> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var standIn = new SignOnStandIn(builder.Build());
        standIn._web.MapGet("/federation/credentials", standIn.SignOnAsync);
        standIn._web.MapGet("/container", standIn.ContainerAsync);
        standIn._web.MapPost("/", standIn.AssumeAsync);
        await standIn._web.StartAsync();
        standIn.Address = new Uri(standIn._web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return standIn;
    }

    public async ValueTask DisposeAsync() => await _web.DisposeAsync();

    private async Task SignOnAsync(HttpContext context)
    {
        Asked.Enqueue($"sso {context.Request.Query["role_name"]} {context.Request.Headers["x-amz-sso_bearer_token"]}");
        if (Refusal is not null)
        {
            context.Response.StatusCode = Refusal == "ForbiddenException" ? 403 : 401;
            context.Response.Headers["x-amzn-ErrorType"] = Refusal;
            await context.Response.WriteAsJsonAsync(new { message = "Session token not found or invalid" });
            return;
        }

        await context.Response.WriteAsJsonAsync(new
        {
            roleCredentials = new { accessKeyId = "AKIASSO", secretAccessKey = "secret", sessionToken = "token", expiration = End.ToUnixTimeMilliseconds() },
        });
    }

    private async Task ContainerAsync(HttpContext context)
    {
        Asked.Enqueue("container");
        await context.Response.WriteAsync(JsonSerializer.Serialize(new { AccessKeyId = "AKIACONTAINER", SecretAccessKey = "secret", Token = "token", Expiration = End.UtcDateTime }));
    }

    private async Task AssumeAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        var action = form["Action"].ToString();
        var key = context.Request.Headers.Authorization.ToString() is { Length: > 0 } signed ? signed.Split("Credential=")[1].Split('/')[0] : "nobody";
        Asked.Enqueue($"{action} {key}");
        if (Refusal is not null)
        {
            context.Response.StatusCode = 403;
            await context.Response.WriteAsync(new XElement(Sts + "ErrorResponse",
                new XElement(Sts + "Error", new XElement(Sts + "Type", "Sender"), new XElement(Sts + "Code", Refusal), new XElement(Sts + "Message", "User: ana is not authorized"))).ToString());
            return;
        }

        await context.Response.WriteAsync(new XElement(Sts + $"{action}Response", new XElement(Sts + $"{action}Result",
            new XElement(Sts + "Credentials", new XElement(Sts + "AccessKeyId", "AKIAROLE"), new XElement(Sts + "SecretAccessKey", "secret"),
                new XElement(Sts + "SessionToken", "token"), new XElement(Sts + "Expiration", End.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture))),
            new XElement(Sts + "AssumedRoleUser", new XElement(Sts + "Arn", "arn:aws:sts::123456789012:assumed-role/Lab/ana"), new XElement(Sts + "AssumedRoleId", "AROA:ana")))).ToString());
    }
}
