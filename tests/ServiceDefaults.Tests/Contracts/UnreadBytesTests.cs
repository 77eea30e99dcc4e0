using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Lab.ServiceDefaults.Tests.Contracts;

public sealed class UnreadBytesTests
{
    [Fact]
    public async Task Server_BeforeABodyIsRead_TakesNoMoreOfItThanOfHeaders()
    {
        await using var service = await SampleService.StartAsync();
        var limits = service.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits;

        Assert.Equal(limits.MaxRequestHeadersTotalSize, service.Services.GetRequiredService<IOptions<SocketTransportOptions>>().Value.MaxReadBufferSize);
        Assert.Equal(limits.MaxRequestHeadersTotalSize, limits.Http2.InitialStreamWindowSize);
    }
}
