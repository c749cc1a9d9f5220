//! Every directive of the server: name, aliases, field, type, default, bounds, when it may change, whether it
//! has an effect here.
//!
//! The list is Valkey 9.1's. Names, defaults and bounds are facts read off its `CONFIG GET` and `CONFIG SET`.
//! Where Valkey has two names for one directive, the first here is the one that Redis 7 and Valkey both read, so
//! that a rewritten file stays good for either. Sizes are bytes.

use crate::choice::{
    AclPubsubDefault, AppendFsync, ClusterConfigSave, DisklessLoad, EndpointType, LogFormat, LogLevel,
    LogTimestamp, MaxmemoryPolicy, OomScoreAdj, PropagationError, ProtectedAction, RdbVersionCheck,
    Supervised, SyslogFacility, TlsAuthClients, TlsAuthUser,
};
use crate::codec::{Bool, Codec, Int, Memory, MemoryOrNone, Octal, Text, Word};
use crate::directive::{Directive, State, When, directives};
use crate::special::{
    ActiveDefrag, Bind, BufferLimits, Events, NotifyFlags, OomValues, OutputLimits, PercentOrBytes,
    PercentOrMemory, Percentiles, PrimaryAddr, ReplicaOf, Save, SavePoint, ShutdownFlags, ShutdownOn,
    announced_ip, append_dir, append_file, host_name, ipv4, ipv6, node_name, plain_file, title_template,
};

const I32_MIN: i64 = i32::MIN as i64;
const I32_MAX: i64 = i32::MAX as i64;
const U32_MAX: i64 = u32::MAX as i64;

fn default_save() -> Vec<SavePoint> {
    let point = |(seconds, changes)| SavePoint { seconds, changes };
    [(3600, 1), (300, 100), (60, 10_000)].map(point).to_vec()
}

directives! {
    // Network and clients
    /// Addresses to listen on; a leading `-` tolerates one that is not available.
    "bind" [] bind: Vec<String> = vec!["*".to_owned(), "-::*".to_owned()], Bind, Run, Done;
    /// TCP port to listen on; 0 for none.
    "port" [] port: u16 = 6379, Int::new(0, 65535), Run, Done;
    /// Path of the unix socket; empty for none.
    "unixsocket" [] unixsocket: String = String::new(), Text::ANY, Start, Done;
    /// Mode of the unix socket; 0 leaves it to the umask.
    "unixsocketperm" [] unixsocketperm: u32 = 0, Octal, Start, Done;
    "unixsocketgroup" [] unixsocketgroup: String = String::new(), Text::ANY, Start, Accepted;
    /// Length of the queue of connections not yet accepted.
    "tcp-backlog" [] tcp_backlog: u32 = 511, Int::new(0, I32_MAX), Start, Done;
    /// Seconds between keep-alive probes; 0 for none.
    "tcp-keepalive" [] tcp_keepalive: u32 = 300, Int::new(0, I32_MAX), Run, Done;
    /// Seconds after which an idle client is closed; 0 for never.
    "timeout" [] timeout: u32 = 0, Int::new(0, I32_MAX), Run, Done;
    /// Whether clients of other hosts are refused while there is no password.
    "protected-mode" [] protected_mode: bool = true, Bool, Run, Done;
    /// The address that a replica connects to its primary from; empty for any.
    "bind-source-addr" [] bind_source_addr: String = String::new(), Text::ANY, Run, Done;
    "socket-mark-id" [] socket_mark_id: u32 = 0, Int::new(0, U32_MAX), Start, Accepted;
    "mptcp" [] mptcp: bool = false, Bool, Start, Accepted;
    /// The most clients at a time.
    "maxclients" [] maxclients: u32 = 10000, Int::new(1, U32_MAX), Run, Done;
    "max-new-connections-per-cycle" [] max_new_connections_per_cycle: u16 = 10, Int::new(1, 1000), Run, Accepted;
    /// The most bytes of a client's unread input.
    "client-query-buffer-limit" [] client_query_buffer_limit: u64 = 1073741824, Memory::new(1048576, i64::MAX), Run, Done;
    /// Limits of pending output by class of client.
    "client-output-buffer-limit" [] client_output_buffer_limit: BufferLimits = BufferLimits::default(), OutputLimits, Run, Done;
    "maxmemory-clients" [] maxmemory_clients: PercentOrBytes = PercentOrBytes::Bytes(0), PercentOrMemory, Run, Done;
    /// The longest argument in bytes.
    "proto-max-bulk-len" [] proto_max_bulk_len: u64 = 536870912, Memory::new(1048576, i64::MAX), Run, Done;
    /// The most keys that are remembered for clients that keep copies; 0 for any number.
    "tracking-table-max-keys" [] tracking_table_max_keys: u64 = 1000000, Int::new(0, i64::MAX), Run, Done;
    /// Number of threads that serve clients.
    "io-threads" [] io_threads: u16 = 1, Int::new(1, 256), Run, Done;
    "io-threads-always-active" [] io_threads_always_active: bool = false, Bool, Run, AcceptedHidden;
    "min-io-threads-avoid-copy-reply" [] min_io_threads_avoid_copy_reply: u32 = 7, Int::new(0, I32_MAX), Run, AcceptedHidden;
    "prefetch-batch-max-size" [] prefetch_batch_max_size: u16 = 16, Int::new(0, 128), Run, Accepted;

    // TLS and RDMA
    "max-new-tls-connections-per-cycle" [] max_new_tls_connections_per_cycle: u16 = 1, Int::new(1, 1000), Run, Accepted;
    "rdma-bind" [] rdma_bind: String = String::new(), Text::ANY, Run, Accepted;
    "rdma-completion-vector" [] rdma_completion_vector: i32 = -1, Int::new(-1, 1024), Start, Accepted;
    "rdma-port" [] rdma_port: u16 = 0, Int::new(0, 65535), Run, Accepted;
    "rdma-rx-size" [] rdma_rx_size: u32 = 1048576, Int::new(65536, 16777216), Start, Accepted;
    "tls-auth-clients" [] tls_auth_clients: TlsAuthClients = TlsAuthClients::Yes, Word::<TlsAuthClients>::new(), Run, Accepted;
    "tls-auth-clients-user" [] tls_auth_clients_user: TlsAuthUser = TlsAuthUser::Off, Word::<TlsAuthUser>::new(), Run, Accepted;
    "tls-auto-reload-interval" [] tls_auto_reload_interval: u32 = 0, Int::new(0, I32_MAX), Run, Accepted;
    "tls-ca-cert-dir" [] tls_ca_cert_dir: String = String::new(), Text::ANY, Run, Accepted;
    "tls-ca-cert-file" [] tls_ca_cert_file: String = String::new(), Text::ANY, Run, Accepted;
    "tls-cert-file" [] tls_cert_file: String = String::new(), Text::ANY, Run, Accepted;
    "tls-ciphers" [] tls_ciphers: String = String::new(), Text::ANY, Run, Accepted;
    "tls-ciphersuites" [] tls_ciphersuites: String = String::new(), Text::ANY, Run, Accepted;
    "tls-client-cert-file" [] tls_client_cert_file: String = String::new(), Text::ANY, Run, Accepted;
    "tls-client-key-file" [] tls_client_key_file: String = String::new(), Text::ANY, Run, Accepted;
    "tls-client-key-file-pass" [] tls_client_key_file_pass: String = String::new(), Text::ANY, Run, Accepted;
    "tls-cluster" [] tls_cluster: bool = false, Bool, Run, Accepted;
    "tls-dh-params-file" [] tls_dh_params_file: String = String::new(), Text::ANY, Run, Accepted;
    "tls-key-file" [] tls_key_file: String = String::new(), Text::ANY, Run, Accepted;
    "tls-key-file-pass" [] tls_key_file_pass: String = String::new(), Text::ANY, Run, Accepted;
    "tls-port" [] tls_port: u16 = 0, Int::new(0, 65535), Run, Accepted;
    "tls-prefer-server-ciphers" [] tls_prefer_server_ciphers: bool = false, Bool, Run, Accepted;
    "tls-protocols" [] tls_protocols: String = String::new(), Text::ANY, Run, Accepted;
    "tls-replication" [] tls_replication: bool = false, Bool, Run, Accepted;
    "tls-session-cache-size" [] tls_session_cache_size: u32 = 20480, Int::new(0, I32_MAX), Run, Accepted;
    "tls-session-cache-timeout" [] tls_session_cache_timeout: u32 = 300, Int::new(0, I32_MAX), Run, Accepted;
    "tls-session-caching" [] tls_session_caching: bool = true, Bool, Run, Accepted;

    // Users and safety
    /// The default user's password; empty for none.
    "requirepass" [] requirepass: String = String::new(), Text::ANY, Run, Done;
    /// The file of users; empty if they are in this configuration.
    "aclfile" [] aclfile: String = String::new(), Text::ANY, Start, Done;
    /// Entries that the ACL log keeps.
    "acllog-max-len" [] acllog_max_len: u64 = 128, Int::new(0, i64::MAX), Run, Done;
    /// Whether new users may use every channel.
    "acl-pubsub-default" [] acl_pubsub_default: AclPubsubDefault = AclPubsubDefault::ResetChannels, Word::<AclPubsubDefault>::new(), Run, Done;
    /// From where protected directives may be set.
    "enable-protected-configs" [] enable_protected_configs: ProtectedAction = ProtectedAction::No, Word::<ProtectedAction>::new(), Start, Done;
    /// From where DEBUG may be used.
    "enable-debug-command" [] enable_debug_command: ProtectedAction = ProtectedAction::No, Word::<ProtectedAction>::new(), Start, Done;
    "enable-module-command" [] enable_module_command: ProtectedAction = ProtectedAction::No, Word::<ProtectedAction>::new(), Start, Accepted;
    "hide-user-data-from-log" [] hide_user_data_from_log: bool = true, Bool, Run, Accepted;

    // Process and log
    /// Whether to go to the background.
    "daemonize" [] daemonize: bool = false, Bool, Start, Done;
    /// Path of the file with the process id; empty for none.
    "pidfile" [] pidfile: String = String::new(), Text::ANY, Start, Done;
    /// The supervisor to tell about readiness.
    "supervised" [] supervised: Supervised = Supervised::No, Word::<Supervised>::new(), Start, Done;
    /// The working folder: snapshots, logs and state live there.
    "dir" [] dir: String = ".".to_owned(), Text::kept(|_| Ok(())), Protected, Done;
    /// The least important message that is logged.
    "loglevel" [] loglevel: LogLevel = LogLevel::Notice, Word::<LogLevel>::new(), Run, Done;
    /// Path of the log; empty for standard output.
    "logfile" [] logfile: String = String::new(), Text::ANY, Start, Done;
    /// Layout of a log line.
    "log-format" [] log_format: LogFormat = LogFormat::Legacy, Word::<LogFormat>::new(), Run, Done;
    /// Layout of a log line's time.
    "log-timestamp-format" [] log_timestamp_format: LogTimestamp = LogTimestamp::Legacy, Word::<LogTimestamp>::new(), Run, Done;
    "always-show-logo" [] always_show_logo: bool = false, Bool, Start, Accepted;
    "set-proc-title" [] set_proc_title: bool = true, Bool, Start, Accepted;
    "proc-title-template" [] proc_title_template: String = "{title} {listen-addr} {server-mode}".to_owned(), Text::kept(title_template), Run, Accepted;
    "locale-collate" [] locale_collate: String = String::new(), Text::ANY, Run, Accepted;
    "syslog-enabled" [] syslog_enabled: bool = false, Bool, Start, Accepted;
    "syslog-ident" [] syslog_ident: String = "tanist".to_owned(), Text::kept(|_| Ok(())), Start, Accepted;
    "syslog-facility" [] syslog_facility: SyslogFacility = SyslogFacility::Local0, Word::<SyslogFacility>::new(), Start, Accepted;
    "crash-log-enabled" [] crash_log_enabled: bool = true, Bool, Run, Accepted;
    "crash-memcheck-enabled" [] crash_memcheck_enabled: bool = true, Bool, Run, Accepted;
    "use-exit-on-panic" [] use_exit_on_panic: bool = false, Bool, Run, AcceptedHidden;
    /// Seconds that a shutdown waits for lagging replicas.
    "shutdown-timeout" [] shutdown_timeout: u32 = 10, Int::new(0, I32_MAX), Run, Done;
    /// How SIGINT shuts down.
    "shutdown-on-sigint" [] shutdown_on_sigint: ShutdownFlags = ShutdownFlags::default(), ShutdownOn, Run, Done;
    /// How SIGTERM shuts down.
    "shutdown-on-sigterm" [] shutdown_on_sigterm: ShutdownFlags = ShutdownFlags::default(), ShutdownOn, Run, Done;
    /// Whether the kernel is told how soon to end the process when the machine is short of memory, and how.
    "oom-score-adj" [] oom_score_adj: OomScoreAdj = OomScoreAdj::No, Word::<OomScoreAdj>::new(), Run, Done;
    /// What it is told: of a primary, of a replica, of a background process (there is none).
    "oom-score-adj-values" [] oom_score_adj_values: [i32; 3] = [0, 200, 800], OomValues, Run, Done;
    "disable-thp" [] disable_thp: bool = true, Bool, Start, Accepted;
    "ignore-warnings" [] ignore_warnings: String = String::new(), Text::ANY, Run, Accepted;
    /// Name of the zone this node lives in; told by INFO.
    "availability-zone" [] availability_zone: String = String::new(), Text::ANY, Run, Done;
    "extended-redis-compatibility" [] extended_redis_compatibility: bool = false, Bool, Run, Accepted;
    "server-cpulist" ["server_cpulist"] server_cpulist: String = String::new(), Text::ANY, Start, Accepted;
    "bio-cpulist" ["bio_cpulist"] bio_cpulist: String = String::new(), Text::ANY, Start, Accepted;
    "bgsave-cpulist" ["bgsave_cpulist"] bgsave_cpulist: String = String::new(), Text::ANY, Start, Accepted;
    "aof-rewrite-cpulist" ["aof_rewrite_cpulist"] aof_rewrite_cpulist: String = String::new(), Text::ANY, Start, Accepted;
    "watchdog-period" [] watchdog_period: u32 = 0, Int::new(0, I32_MAX), Run, AcceptedHidden;
    "debug-context" [] debug_context: String = String::new(), Text::ANY, Run, AcceptedHidden;
    /// Told by INFO: what is to be done in the background happens at its time, not in rounds.
    "hz" [] hz: u32 = 10, Int::new(0, I32_MAX).clamped(1, 500), Run, Accepted;
    "jemalloc-bg-thread" [] jemalloc_bg_thread: bool = true, Bool, Run, Accepted;
    "hash-seed" [] hash_seed: String = String::new(), Text::ANY, Start, Accepted;

    // Snapshots
    /// When a snapshot is written by itself.
    "save" [] save: Vec<SavePoint> = default_save(), Save, Run, Done;
    /// Name of the snapshot in `dir`.
    "dbfilename" [] dbfilename: String = "dump.rdb".to_owned(), Text::kept(plain_file), Protected, Done;
    /// Whether strings in snapshots are compressed.
    "rdbcompression" [] rdbcompression: bool = true, Bool, Run, Done;
    /// Whether snapshots end with a checksum.
    "rdbchecksum" [] rdbchecksum: bool = true, Bool, Start, Done;
    "rdb-version-check" [] rdb_version_check: RdbVersionCheck = RdbVersionCheck::Strict, Word::<RdbVersionCheck>::new(), Run, Accepted;
    "rdb-del-sync-files" [] rdb_del_sync_files: bool = false, Bool, Run, Accepted;
    "rdb-save-incremental-fsync" [] rdb_save_incremental_fsync: bool = true, Bool, Run, Accepted;
    /// Whether writes are refused after a failed snapshot.
    "stop-writes-on-bgsave-error" [] stop_writes_on_bgsave_error: bool = true, Bool, Run, Done;
    /// Microseconds that loading takes for each key beyond its work; if negative, keys for each microsecond.
    "key-load-delay" [] key_load_delay: i32 = 0, Int::new(I32_MIN, I32_MAX), Run, DoneHidden;
    /// The same for writing a snapshot.
    "rdb-key-save-delay" [] rdb_key_save_delay: i32 = 0, Int::new(I32_MIN, I32_MAX), Run, DoneHidden;
    "loading-process-events-interval-bytes" [] loading_process_events_interval_bytes: u32 = 2097152, Int::new(1024, I32_MAX), Run, AcceptedHidden;

    // Append-only file
    "aof-load-truncated" [] aof_load_truncated: bool = true, Bool, Run, Accepted;
    "aof-rewrite-incremental-fsync" [] aof_rewrite_incremental_fsync: bool = true, Bool, Run, Accepted;
    "aof-timestamp-enabled" [] aof_timestamp_enabled: bool = false, Bool, Run, Accepted;
    "aof-use-rdb-preamble" [] aof_use_rdb_preamble: bool = true, Bool, Run, Accepted;
    "appenddirname" [] appenddirname: String = "appendonlydir".to_owned(), Text::kept(append_dir), Start, Accepted;
    "appendfilename" [] appendfilename: String = "appendonly.aof".to_owned(), Text::kept(append_file), Start, Accepted;
    "appendfsync" [] appendfsync: AppendFsync = AppendFsync::EverySec, Word::<AppendFsync>::new(), Run, Accepted;
    "appendonly" [] appendonly: bool = false, Bool, Run, Accepted;
    "auto-aof-rewrite-min-size" [] auto_aof_rewrite_min_size: u64 = 67108864, Memory::new(0, i64::MAX), Run, Accepted;
    "auto-aof-rewrite-percentage" [] auto_aof_rewrite_percentage: u32 = 100, Int::new(0, I32_MAX), Run, Accepted;
    "no-appendfsync-on-rewrite" [] no_appendfsync_on_rewrite: bool = false, Bool, Run, Accepted;

    // Replication
    "dual-channel-replication-enabled" [] dual_channel_replication_enabled: bool = false, Bool, Run, Accepted;
    /// Whether data are copied in from another server, which says what expires: nothing is removed or evicted here.
    "import-mode" [] import_mode: bool = false, Bool, Run, Done;
    /// The password for the primary.
    "masterauth" ["primaryauth"] masterauth: String = String::new(), Text::ANY, Run, Done;
    /// The user for the primary; empty for the old form of AUTH.
    "masteruser" ["primaryuser"] masteruser: String = String::new(), Text::ANY, Run, Done;
    /// Seconds since its last ack after which a replica no longer counts.
    "min-replicas-max-lag" ["min-slaves-max-lag"] min_replicas_max_lag: u32 = 10, Int::new(0, I32_MAX), Run, Done;
    /// Replicas that a write needs; 0 for none.
    "min-replicas-to-write" ["min-slaves-to-write"] min_replicas_to_write: u32 = 0, Int::new(0, I32_MAX), Run, Done;
    "propagation-error-behavior" [] propagation_error_behavior: PropagationError = PropagationError::Ignore, Word::<PropagationError>::new(), Run, Accepted;
    /// Bytes of the stream kept for partial resyncs.
    "repl-backlog-size" [] repl_backlog_size: u64 = 10485760, Memory::new(1, i64::MAX).at_least(16384), Run, Done;
    /// Seconds after which a primary without replicas drops its backlog; 0 for never.
    "repl-backlog-ttl" [] repl_backlog_ttl: u64 = 3600, Int::new(0, i64::MAX), Run, Done;
    /// Whether replication links may delay small packets.
    "repl-disable-tcp-nodelay" [] repl_disable_tcp_nodelay: bool = false, Bool, Run, Accepted;
    /// How a replica loads a streamed snapshot.
    "repl-diskless-load" [] repl_diskless_load: DisklessLoad = DisklessLoad::Disabled, Word::<DisklessLoad>::new(), Run, Done;
    /// Whether full syncs are streamed without a file.
    "repl-diskless-sync" [] repl_diskless_sync: bool = true, Bool, Run, Accepted;
    /// Seconds to wait for more replicas before a snapshot is streamed.
    "repl-diskless-sync-delay" [] repl_diskless_sync_delay: u32 = 5, Int::new(0, I32_MAX), Run, Done;
    /// Number of waiting replicas that ends the wait; 0 for no bound.
    "repl-diskless-sync-max-replicas" [] repl_diskless_sync_max_replicas: u32 = 0, Int::new(0, I32_MAX), Run, Done;
    "repl-mptcp" [] repl_mptcp: bool = false, Bool, Start, Accepted;
    /// Seconds between PINGs in the stream.
    "repl-ping-replica-period" ["repl-ping-slave-period"] repl_ping_replica_period: u32 = 10, Int::new(1, I32_MAX), Run, Done;
    /// Seconds of silence after which a replication link is down.
    "repl-timeout" [] repl_timeout: u32 = 60, Int::new(1, I32_MAX), Run, Done;
    /// Address to announce; empty for the real one.
    "replica-announce-ip" ["slave-announce-ip"] replica_announce_ip: String = String::new(), Text::ANY, Run, Done;
    /// Port to announce; 0 for the real one.
    "replica-announce-port" ["slave-announce-port"] replica_announce_port: u16 = 0, Int::new(0, 65535), Run, Done;
    /// Whether sentinels tell clients about this replica.
    "replica-announced" [] replica_announced: bool = true, Bool, Run, Done;
    "replica-ignore-disk-write-errors" [] replica_ignore_disk_write_errors: bool = false, Bool, Run, Accepted;
    "replica-ignore-maxmemory" ["slave-ignore-maxmemory"] replica_ignore_maxmemory: bool = true, Bool, Run, Done;
    /// Kept for `CONFIG GET`: large values are always freed where nobody waits for it.
    "replica-lazy-flush" ["slave-lazy-flush"] replica_lazy_flush: bool = true, Bool, Run, Accepted;
    /// Rank for promotion, lower first; 0 means never.
    "replica-priority" ["slave-priority"] replica_priority: u32 = 100, Int::new(0, I32_MAX), Run, Done;
    /// Whether a replica refuses clients' writes.
    "replica-read-only" ["slave-read-only"] replica_read_only: bool = true, Bool, Run, Done;
    /// Whether a replica that lost its primary still answers.
    "replica-serve-stale-data" ["slave-serve-stale-data"] replica_serve_stale_data: bool = true, Bool, Run, Done;
    /// The primary to follow; none if this node is one.
    "replicaof" ["slaveof"] replicaof: Option<PrimaryAddr> = None, ReplicaOf, Start, Done;

    // Cluster
    "cluster-allow-pubsubshard-when-down" [] cluster_allow_pubsubshard_when_down: bool = true, Bool, Run, Accepted;
    "cluster-allow-reads-when-down" [] cluster_allow_reads_when_down: bool = false, Bool, Run, Accepted;
    "cluster-allow-replica-migration" [] cluster_allow_replica_migration: bool = true, Bool, Run, Accepted;
    "cluster-announce-bus-port" [] cluster_announce_bus_port: u16 = 0, Int::new(0, 65535), Run, Accepted;
    "cluster-announce-client-ipv4" [] cluster_announce_client_ipv4: String = String::new(), Text::checked(ipv4), Run, Accepted;
    "cluster-announce-client-ipv6" [] cluster_announce_client_ipv6: String = String::new(), Text::checked(ipv6), Run, Accepted;
    "cluster-announce-client-port" [] cluster_announce_client_port: u16 = 0, Int::new(0, 65535), Run, Accepted;
    "cluster-announce-client-tls-port" [] cluster_announce_client_tls_port: u16 = 0, Int::new(0, 65535), Run, Accepted;
    "cluster-announce-hostname" [] cluster_announce_hostname: String = String::new(), Text::checked(host_name), Run, Accepted;
    "cluster-announce-human-nodename" [] cluster_announce_human_nodename: String = String::new(), Text::checked(node_name), Run, Accepted;
    "cluster-announce-ip" [] cluster_announce_ip: String = String::new(), Text::checked(announced_ip), Run, Accepted;
    "cluster-announce-port" [] cluster_announce_port: u16 = 0, Int::new(0, 65535), Run, Accepted;
    "cluster-announce-tls-port" [] cluster_announce_tls_port: u16 = 0, Int::new(0, 65535), Run, Accepted;
    "cluster-blacklist-ttl" [] cluster_blacklist_ttl: i64 = 60, Int::new(i64::MIN, i64::MAX), Run, Accepted;
    "cluster-config-file" [] cluster_config_file: String = "nodes.conf".to_owned(), Text::kept(|_| Ok(())), Start, Accepted;
    "cluster-config-save-behavior" [] cluster_config_save_behavior: ClusterConfigSave = ClusterConfigSave::Sync, Word::<ClusterConfigSave>::new(), Run, Accepted;
    "cluster-databases" [] cluster_databases: u32 = 1, Int::new(1, I32_MAX), Start, Accepted;
    "cluster-enabled" [] cluster_enabled: bool = false, Bool, Start, Accepted;
    "cluster-link-sendbuf-limit" [] cluster_link_sendbuf_limit: u64 = 0, Memory::new(0, i64::MAX), Run, Accepted;
    "cluster-manual-failover-timeout" [] cluster_manual_failover_timeout: u32 = 5000, Int::new(1, I32_MAX), Run, Accepted;
    "cluster-migration-barrier" [] cluster_migration_barrier: u32 = 1, Int::new(0, I32_MAX), Run, Accepted;
    "cluster-node-timeout" [] cluster_node_timeout: u64 = 15000, Int::new(0, i64::MAX), Run, Accepted;
    "cluster-ping-interval" [] cluster_ping_interval: u64 = 0, Int::new(0, i64::MAX), Run, AcceptedHidden;
    "cluster-port" [] cluster_port: u16 = 0, Int::new(0, 65535), Start, Accepted;
    "cluster-preferred-endpoint-type" [] cluster_preferred_endpoint_type: EndpointType = EndpointType::Ip, Word::<EndpointType>::new(), Run, Accepted;
    "cluster-replica-no-failover" ["cluster-slave-no-failover"] cluster_replica_no_failover: bool = false, Bool, Run, Accepted;
    "cluster-replica-validity-factor" ["cluster-slave-validity-factor"] cluster_replica_validity_factor: u32 = 10, Int::new(0, I32_MAX), Run, Accepted;
    "cluster-require-full-coverage" [] cluster_require_full_coverage: bool = true, Bool, Run, Accepted;
    "cluster-slot-migration-log-max-len" [] cluster_slot_migration_log_max_len: u64 = 1000, Int::new(0, i64::MAX), Run, Accepted;
    "cluster-slot-stats-enabled" [] cluster_slot_stats_enabled: bool = false, Bool, Run, Accepted;
    "slot-migration-max-failover-repl-bytes" [] slot_migration_max_failover_repl_bytes: i64 = 0, MemoryOrNone, Run, Accepted;

    // Data, expiry and memory
    "active-defrag-cycle-max" [] active_defrag_cycle_max: u16 = 25, Int::new(1, 99), Run, Accepted;
    "active-defrag-cycle-min" [] active_defrag_cycle_min: u16 = 1, Int::new(1, 99), Run, Accepted;
    "active-defrag-cycle-us" [] active_defrag_cycle_us: u32 = 500, Int::new(0, 100000), Run, Accepted;
    "active-defrag-ignore-bytes" [] active_defrag_ignore_bytes: u64 = 104857600, Memory::new(1, i64::MAX), Run, Accepted;
    "active-defrag-max-scan-fields" [] active_defrag_max_scan_fields: u64 = 1000, Int::new(1, i64::MAX), Run, Accepted;
    "active-defrag-threshold-lower" [] active_defrag_threshold_lower: u16 = 10, Int::new(0, 1000), Run, Accepted;
    "active-defrag-threshold-upper" [] active_defrag_threshold_upper: u16 = 100, Int::new(0, 1000), Run, Accepted;
    /// How eagerly expired keys are looked for, 1 to 10.
    "active-expire-effort" [] active_expire_effort: u16 = 1, Int::new(1, 10), Run, Done;
    "activedefrag" [] activedefrag: bool = false, ActiveDefrag, Run, Accepted;
    "activerehashing" [] activerehashing: bool = true, Bool, Run, Accepted;
    /// Number of databases.
    "databases" [] databases: u32 = 16, Int::new(1, I32_MAX), Start, Done;
    "hash-max-listpack-entries" ["hash-max-ziplist-entries"] hash_max_listpack_entries: u64 = 512, Int::new(0, i64::MAX), Run, Done;
    "hash-max-listpack-value" ["hash-max-ziplist-value"] hash_max_listpack_value: u64 = 64, Memory::new(0, i64::MAX), Run, Done;
    "hll-sparse-max-bytes" [] hll_sparse_max_bytes: u64 = 3000, Memory::new(0, i64::MAX), Run, Done;
    /// The word by which replicas hear of it, UNLINK or DEL: large values are always freed where nobody waits for it.
    "lazyfree-lazy-eviction" [] lazyfree_lazy_eviction: bool = true, Bool, Run, Done;
    /// Likewise.
    "lazyfree-lazy-expire" [] lazyfree_lazy_expire: bool = true, Bool, Run, Done;
    /// Likewise.
    "lazyfree-lazy-server-del" [] lazyfree_lazy_server_del: bool = true, Bool, Run, Done;
    /// Kept for `CONFIG GET`: large values are always freed where nobody waits for it.
    "lazyfree-lazy-user-del" [] lazyfree_lazy_user_del: bool = true, Bool, Run, Accepted;
    /// Kept for `CONFIG GET`: large values are always freed where nobody waits for it.
    "lazyfree-lazy-user-flush" [] lazyfree_lazy_user_flush: bool = true, Bool, Run, Accepted;
    /// Minutes after which the access counter is halved; 0 for never.
    "lfu-decay-time" [] lfu_decay_time: u32 = 1, Int::new(0, I32_MAX), Run, Done;
    /// How slowly the access counter grows.
    "lfu-log-factor" [] lfu_log_factor: u32 = 10, Int::new(0, I32_MAX), Run, Done;
    "list-compress-depth" [] list_compress_depth: u32 = 0, Int::new(0, I32_MAX), Run, Accepted;
    "list-max-listpack-size" ["list-max-ziplist-size"] list_max_listpack_size: i32 = -2, Int::new(I32_MIN, I32_MAX), Run, Done;
    /// The most bytes of data, above which keys are evicted or commands that may add data refused; 0 for no limit.
    "maxmemory" [] maxmemory: u64 = 0, Memory::new(0, i64::MAX), Run, Done;
    /// How much is evicted at a time before a command runs: 0 little, 100 as much as is needed.
    "maxmemory-eviction-tenacity" [] maxmemory_eviction_tenacity: u16 = 10, Int::new(0, 100), Run, Done;
    /// What to do with a write when memory is full.
    "maxmemory-policy" [] maxmemory_policy: MaxmemoryPolicy = MaxmemoryPolicy::NoEviction, Word::<MaxmemoryPolicy>::new(), Run, Done;
    /// Keys looked at for each that is evicted.
    "maxmemory-samples" [] maxmemory_samples: u16 = 5, Int::new(1, 64), Run, Done;
    "set-max-intset-entries" [] set_max_intset_entries: u64 = 512, Int::new(0, i64::MAX), Run, Done;
    "set-max-listpack-entries" [] set_max_listpack_entries: u64 = 128, Int::new(0, i64::MAX), Run, Done;
    "set-max-listpack-value" [] set_max_listpack_value: u64 = 64, Int::new(0, i64::MAX), Run, Done;
    "stream-node-max-bytes" [] stream_node_max_bytes: u64 = 4096, Memory::new(0, i64::MAX), Run, Done;
    "stream-node-max-entries" [] stream_node_max_entries: u64 = 100, Int::new(0, i64::MAX), Run, Done;
    "zset-max-listpack-entries" ["zset-max-ziplist-entries"] zset_max_listpack_entries: u64 = 128, Int::new(0, i64::MAX), Run, Done;
    "zset-max-listpack-value" ["zset-max-ziplist-value"] zset_max_listpack_value: u64 = 64, Memory::new(0, i64::MAX), Run, Done;

    // Observation and scripts
    /// Milliseconds after which a script counts as stuck.
    "busy-reply-threshold" ["lua-time-limit"] busy_reply_threshold: u64 = 5000, Int::new(0, i64::MAX), Run, Done;
    /// Entries that the log of large replies keeps.
    "commandlog-large-reply-max-len" [] commandlog_large_reply_max_len: u64 = 128, Int::new(0, i64::MAX), Run, Done;
    /// Entries that the log of large requests keeps.
    "commandlog-large-request-max-len" [] commandlog_large_request_max_len: u64 = 128, Int::new(0, i64::MAX), Run, Done;
    /// Bytes above which a reply is logged; -1 for never.
    "commandlog-reply-larger-than" [] commandlog_reply_larger_than: i64 = 1048576, Int::new(-1, i64::MAX), Run, Done;
    /// Bytes above which a request is logged; -1 for never.
    "commandlog-request-larger-than" [] commandlog_request_larger_than: i64 = 1048576, Int::new(-1, i64::MAX), Run, Done;
    /// Milliseconds above which an event is recorded; 0 for never.
    "latency-monitor-threshold" [] latency_monitor_threshold: u64 = 0, Int::new(0, i64::MAX), Run, Done;
    /// Whether commands' latencies are tracked.
    "latency-tracking" [] latency_tracking: bool = true, Bool, Run, Done;
    /// Percentiles that INFO latencystats prints.
    "latency-tracking-info-percentiles" [] latency_tracking_info_percentiles: Vec<f64> = vec![50.0, 99.0, 99.9], Percentiles, Run, Done;
    /// Bytes that scripts may use in Lua, and functions likewise; 0 for no limit.
    "lua-memory-limit" [] lua_memory_limit: u64 = 1073741824, Memory::new(0, i64::MAX), Run, Done;
    "lua-enable-insecure-api" ["lua-enable-deprecated-api"] lua_enable_insecure_api: bool = false, Bool, Run, AcceptedHidden;
    /// Classes of key-space events that are published.
    "notify-keyspace-events" [] notify_keyspace_events: NotifyFlags = NotifyFlags::default(), Events, Run, Done;
    /// Microseconds above which a command is logged as slow; -1 for never.
    "slowlog-log-slower-than" ["commandlog-execution-slower-than"] slowlog_log_slower_than: i64 = 10000, Int::new(-1, i64::MAX), Run, Done;
    /// Entries that the log of slow commands keeps.
    "slowlog-max-len" ["commandlog-slow-execution-max-len"] slowlog_max_len: u64 = 128, Int::new(0, i64::MAX), Run, Done;
}
