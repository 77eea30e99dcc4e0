using System.Globalization;

namespace Lab.ServiceDefaults.Tests;

public sealed class CultureTests
{
    [Fact]
    public async Task AddServiceDefaults_AnyLocale_ThreadsWriteNumbersAsTheWireDoes()
    {
        await using var service = await SampleService.StartAsync();

        Assert.Same(CultureInfo.InvariantCulture, CultureInfo.DefaultThreadCurrentCulture);
    }
}
