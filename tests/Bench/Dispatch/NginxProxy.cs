using System.ComponentModel;

namespace Lab.Bench.Dispatch;

/// <summary>nginx as a plain proxy: least_conn, connections to the workers kept alive.</summary>
internal static class NginxProxy
{
    public static async Task<Child?> TryStartAsync(string directory, int port, int firstWorker, int workers)
    {
        var configuration = Path.Combine(directory, "nginx.conf");
        var upstreams = string.Join(' ', Enumerable.Range(0, workers).Select(i => $"server 127.0.0.1:{firstWorker + i};"));
        await File.WriteAllTextAsync(configuration, $$"""
            daemon off; worker_processes auto; pid {{directory}}/nginx.pid; error_log stderr crit;
            events { worker_connections 4096; }
            http {
              access_log off;
              client_body_temp_path {{directory}}/body; proxy_temp_path {{directory}}/proxy; fastcgi_temp_path {{directory}}/fastcgi;
              uwsgi_temp_path {{directory}}/uwsgi; scgi_temp_path {{directory}}/scgi;
              keepalive_requests 1000000;
              upstream workers { least_conn; {{upstreams}} keepalive 64; keepalive_requests 1000000; }
              server {
                listen 127.0.0.1:{{port}};
                location / { proxy_pass http://workers; proxy_http_version 1.1; proxy_set_header Connection ""; }
              }
            }
            """);
        try
        {
            return await Child.StartAsync("nginx", ["-p", directory, "-c", configuration], port);
        }
        catch (Win32Exception)
        {
            Console.Error.WriteLine("nginx is not installed and left out.");
            return null;
        }
    }
}
