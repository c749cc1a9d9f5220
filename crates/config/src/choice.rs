//! Directives whose value is one of a few words.

/// A closed set of words; the first to the last in the order in which Redis lists them in its errors.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every value with its word.
    const WORDS: &'static [(Self, &'static str)];

    /// The word of this value.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(value, _)| *value == self).map_or("", |(_, word)| word)
    }

    /// The value of a word, in any case.
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| known.eq_ignore_ascii_case(word)).map(|(value, _)| *value)
    }

    /// The words as Redis' error lists them.
    fn expected() -> String {
        let words: Vec<&str> = Self::WORDS.iter().map(|(_, word)| *word).collect();
        format!("argument(s) must be one of the following: {}", words.join(", "))
    }
}

macro_rules! choices {
    ($($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum $name { $($variant),+ }

        impl Choice for $name {
            const WORDS: &'static [(Self, &'static str)] = &[$((Self::$variant, $word)),+];
        }
    )+};
}

choices! {
    /// Which pub/sub channels a new ACL user may use.
    AclPubsubDefault { AllChannels = "allchannels", ResetChannels = "resetchannels" }
    /// When the append-only file is flushed to the disk.
    AppendFsync { EverySec = "everysec", Always = "always", No = "no" }
    /// How much trouble a lost cluster configuration file may make.
    ClusterConfigSave { Sync = "sync", BestEffort = "best-effort" }
    /// What a cluster tells clients as a node's address.
    EndpointType { Ip = "ip", Hostname = "hostname", Unknown = "unknown-endpoint" }
    /// From where a dangerous command may be used.
    ProtectedAction { No = "no", Yes = "yes", Local = "local" }
    /// Layout of a log line.
    LogFormat { Legacy = "legacy", Logfmt = "logfmt", Json = "json" }
    /// Layout of a log line's time.
    LogTimestamp { Legacy = "legacy", Iso8601 = "iso8601", Milliseconds = "milliseconds" }
    /// The least important message that is logged.
    LogLevel { Debug = "debug", Verbose = "verbose", Notice = "notice", Warning = "warning", Nothing = "nothing" }
    /// What to do with a write when memory is full.
    MaxmemoryPolicy {
        VolatileLru = "volatile-lru", VolatileLfu = "volatile-lfu", VolatileRandom = "volatile-random",
        VolatileTtl = "volatile-ttl", AllkeysLru = "allkeys-lru", AllkeysLfu = "allkeys-lfu",
        AllkeysRandom = "allkeys-random", NoEviction = "noeviction",
    }
    /// How the kernel's out-of-memory score is adjusted.
    OomScoreAdj { No = "no", Yes = "yes", Relative = "relative", Absolute = "absolute" }
    /// What an error while applying the primary's stream does.
    PropagationError { Ignore = "ignore", Panic = "panic", PanicOnReplicas = "panic-on-replicas" }
    /// Whether a snapshot of a later version is refused.
    RdbVersionCheck { Strict = "strict", Relaxed = "relaxed" }
    /// How a replica loads a snapshot that comes over the socket.
    DisklessLoad {
        Disabled = "disabled", OnEmptyDb = "on-empty-db", SwapDb = "swapdb", FlushBeforeLoad = "flush-before-load",
    }
    /// Which supervisor is told about readiness.
    Supervised { Upstart = "upstart", Systemd = "systemd", Auto = "auto", No = "no" }
    /// The syslog facility.
    SyslogFacility {
        User = "user", Local0 = "local0", Local1 = "local1", Local2 = "local2", Local3 = "local3",
        Local4 = "local4", Local5 = "local5", Local6 = "local6", Local7 = "local7",
    }
    /// Whether TLS clients need a certificate.
    TlsAuthClients { No = "no", Yes = "yes", Optional = "optional" }
    /// Which field of a client's certificate names its user.
    TlsAuthUser { Cn = "CN", Uri = "URI", Off = "off" }
}
