using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Lab.ServiceDefaults.Access;

/// <summary>A setting that cannot be used.</summary>
/// <param name="Path">Which one, as a path of the configuration.</param>
/// <param name="Message">Why; without the value, which may be a secret.</param>
internal sealed record AccessFault(string Path, string Message);

/// <summary>What <see cref="AccessSettings"/> come to.</summary>
/// <param name="Keys">The keys in force: the SHA-256 of each, and who holds it.</param>
/// <param name="Anonymous">Whether everybody may call.</param>
/// <param name="RequestsPerSecond">Each key's rate, 0 for no limit.</param>
/// <param name="Burst">What a key may have at once, 0 for ten seconds' worth.</param>
internal sealed record AccessState(ImmutableArray<(byte[] Hash, KeyHolder Holder)> Keys, bool Anonymous, int RequestsPerSecond, int Burst)
{
    /// <summary>Nothing is set.</summary>
    public static AccessState None { get; } = new([], false, 0, 0);

    /// <summary>
    /// Reads the section setting by setting. What cannot be used is passed over: the setting stays as it was last, and
    /// all others hold.
    /// </summary>
    /// <param name="section">The section as it is now.</param>
    /// <param name="last">What was read last.</param>
    /// <param name="faults">Takes what cannot be used.</param>
    public static AccessState Read(IConfiguration section, AccessState last, List<AccessFault> faults)
    {
        var state = last with { Anonymous = false, RequestsPerSecond = 0, Burst = 0 };
        var candidates = new List<(string Path, string? Value, KeyHolder Holder)>();
        foreach (var setting in section.GetChildren())
        {
            if (Is(setting, AccessSettings.Keys)) candidates.AddRange(KeysOf(setting, isAdmin: false, faults));
            else if (Is(setting, AccessSettings.AdminKeys)) candidates.AddRange(KeysOf(setting, isAdmin: true, faults));
            else if (Is(setting, AccessSettings.RequestsPerSecond)) state = state with { RequestsPerSecond = NumberOf(setting, last.RequestsPerSecond, faults) };
            else if (Is(setting, AccessSettings.Burst)) state = state with { Burst = NumberOf(setting, last.Burst, faults) };
            else if (Is(setting, AccessSettings.Anonymous)) state = state with { Anonymous = TruthOf(setting, last.Anonymous, faults) };
            else if (!Is(setting, AccessSettings.SecretsDirectory) && !Is(setting, AccessSettings.SessionKeysDirectory))
                faults.Add(new(setting.Path, $"{setting.Path} is no setting. Those of {AccessSettings.Section} are Keys, AdminKeys, Anonymous, SecretsDirectory, RequestsPerSecond, Burst and SessionKeysDirectory."));
        }

        state = state with { Keys = Choose(candidates, last, faults) };
        if (!state.Anonymous || state.Keys.IsEmpty) return state;
        faults.Add(new($"{AccessSettings.Section}:{AccessSettings.Anonymous}", $"{AccessSettings.Section}:{AccessSettings.Anonymous} lets everybody in, but keys are set: it is one or the other."));
        return state with { Anonymous = false };
    }

    private static IEnumerable<(string, string?, KeyHolder)> KeysOf(IConfigurationSection list, bool isAdmin, List<AccessFault> faults)
    {
        // A key without a holder's name would otherwise be taken for no key at all.
        if (list.Value is { Length: > 0 }) faults.Add(new(list.Path, $"{list.Path} needs the name of whoever holds the key: {list.Path}:<name>."));
        return list.GetChildren().Select(key => (key.Path, key.Value, new KeyHolder(key.Key, isAdmin)));
    }

    // Each name stands for one key and each key for one name, or nobody could tell who has called. What was in force stays.
    private static ImmutableArray<(byte[], KeyHolder)> Choose(List<(string Path, string? Value, KeyHolder Holder)> candidates, AccessState last, List<AccessFault> faults)
    {
        var read = new List<(string Path, byte[] Hash, KeyHolder Holder, bool WasInForce)>();
        foreach (var (path, value, holder) in candidates)
        {
            var before = last.Keys.FirstOrDefault(key => key.Holder.Name == holder.Name && key.Holder.IsAdmin == holder.IsAdmin);
            if (KeyHash.TryParse(value, out var hash))
            {
                read.Add((path, hash, holder, before.Hash is not null && before.Hash.AsSpan().SequenceEqual(hash)));
                continue;
            }

            faults.Add(new(path, $"The key of {holder.Name} is neither 16 to 256 characters nor sha256: and 64 hexadecimal digits."));
            if (before.Hash is not null) read.Add((path, before.Hash, before.Holder, true));
        }

        var chosen = ImmutableArray.CreateBuilder<(byte[] Hash, KeyHolder Holder)>();
        foreach (var (path, hash, holder, _) in read.OrderByDescending(key => key.WasInForce))
        {
            if (chosen.Any(other => string.Equals(other.Holder.Name, holder.Name, StringComparison.OrdinalIgnoreCase)))
                faults.Add(new(path, $"The name {holder.Name} stands in both {AccessSettings.Section}:{AccessSettings.Keys} and {AccessSettings.Section}:{AccessSettings.AdminKeys}."));
            else if (chosen.FirstOrDefault(other => other.Hash.AsSpan().SequenceEqual(hash)).Holder is { } twin)
                faults.Add(new(path, $"{twin.Name} and {holder.Name} hold the same key: each needs one of their own."));
            else chosen.Add((hash, holder));
        }

        return chosen.ToImmutable();
    }

    private static int NumberOf(IConfigurationSection setting, int last, List<AccessFault> faults)
    {
        if (int.TryParse(setting.Value?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return number;
        faults.Add(new(setting.Path, $"{setting.Path} must be a whole number, 0 or more."));
        return last;
    }

    private static bool TruthOf(IConfigurationSection setting, bool last, List<AccessFault> faults)
    {
        if (bool.TryParse(setting.Value, out var truth)) return truth;
        faults.Add(new(setting.Path, $"{setting.Path} must be true or false."));
        return last;
    }

    private static bool Is(IConfigurationSection setting, string name) => string.Equals(setting.Key, name, StringComparison.OrdinalIgnoreCase);
}
