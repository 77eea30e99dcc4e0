using System.Globalization;

namespace Lab.Ec2Deployer.Planning;

/// <summary>
/// How a host ends itself: a timer of its systemd with an absolute moment, which survives reboots, powers it off, upon
/// which EC2 ends the instance. Set at the first boot, over SSH while it runs, and at the next boot where it is stopped.
/// </summary>
internal static class HostTimer
{
    private const string Name = "lab-ttl";
    private const string Units = "/etc/systemd/system";

    // Which of several writers comes last must not leave half a unit: renamed when whole.
    private static readonly string[] Write =
    [
        $"printf '[Timer]\\nOnCalendar=%s\\nPersistent=true\\nAccuracySec=1s\\n' \"$end\" > {Units}/.{Name}",
        $"mv {Units}/.{Name} {Units}/{Name}.timer",
        $"printf '[Service]\\nType=oneshot\\nExecStart=/usr/bin/systemctl poweroff\\n' > {Units}/{Name}.service",
        $"mkdir -p {Units}/timers.target.wants",
        $"ln -sf {Units}/{Name}.timer {Units}/timers.target.wants/{Name}.timer",
        "systemctl daemon-reload",
    ];

    private static readonly string[] Delete = [$"rm -f {Units}/timers.target.wants/{Name}.timer {Units}/{Name}.timer {Units}/{Name}.service", "systemctl daemon-reload"];

    /// <summary>For cloud-init's <c>bootcmd</c>: the end comes so long after the first boot.</summary>
    public static string BootAfter(TimeSpan life) => Boot(Name,
        [string.Create(CultureInfo.InvariantCulture, $"end=$(date -u -d '+{(long)Math.Ceiling(life.TotalMinutes)} minutes' '+%Y-%m-%d %H:%M:%S UTC')"), .. Write, $"systemctl --no-block start {Name}.timer"]);

    /// <summary>For cloud-init's <c>bootcmd</c>: the end is an absolute moment, or never, from the boot on that sees this for the first time.</summary>
    /// <param name="end">The moment, or null for never.</param>
    /// <param name="setting">Tells one setting from another: each is made once, so that a later one over SSH holds.</param>
    public static string BootAt(DateTimeOffset? end, string setting = "") => Boot(setting.Length == 0 ? Name : $"{Name}-{setting}",
        end is { } moment ? [End(moment), .. Write, $"systemctl --no-block start {Name}.timer"] : [$"systemctl --no-block stop {Name}.timer", .. Delete]);

    /// <summary>A script that sets the end of a host that runs, as root, and fails where it is not set then.</summary>
    /// <param name="end">The moment, or null for never.</param>
    public static string Script(DateTimeOffset? end) => string.Join('\n', end is { } moment
        ? [End(moment), .. Write, $"systemctl restart {Name}.timer", $"systemctl show --property=NextElapseUSecRealtime --value {Name}.timer | grep '[0-9]'"]
        : [$"systemctl stop {Name}.timer 2>/dev/null || true", .. Delete]);

    private static string End(DateTimeOffset moment) => $"end='{moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC'";

    // Before anything that could hang or fail.
    private static string Boot(string once, IEnumerable<string> lines) =>
        $"bootcmd:\n  - - cloud-init-per\n    - once\n    - {once}\n    - sh\n    - -c\n    - |\n{string.Concat(lines.Select(line => $"      {line}\n"))}";
}
