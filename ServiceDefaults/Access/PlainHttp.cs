namespace Lab.ServiceDefaults.Access;

/// <summary>What becomes of requests that come over TCP without TLS. Those over a Unix socket never leave the machine and are served as they are.</summary>
public enum PlainHttp
{
    /// <summary>They are served like any other.</summary>
    Served,

    /// <summary>They are sent on to the <c>https://</c> address (308); one that brings a key is refused (403), for the key is no secret any more.</summary>
    Redirected,

    /// <summary>Those to endpoints that take text need no key, and must not bring one (403); all others are sent on to the <c>https://</c> address.</summary>
    WithoutKey,
}
