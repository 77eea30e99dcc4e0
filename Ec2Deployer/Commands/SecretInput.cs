namespace Lab.Ec2Deployer.Commands;

/// <summary>Reads from the terminal what nobody shall see.</summary>
internal static class SecretInput
{
    /// <summary>A line, without showing it; null: there is none.</summary>
    public static string? ReadLine()
    {
        var line = new System.Text.StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            if (key.Key is ConsoleKey.Enter) break;
            if (key.Key is ConsoleKey.Backspace) line.Length = Math.Max(0, line.Length - 1);
            else if (key.KeyChar >= ' ') line.Append(key.KeyChar);
        }

        Console.Error.WriteLine();
        return line.ToString();
    }
}
