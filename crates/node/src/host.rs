//! What the shell knows about process and machine, for `INFO` and `MEMORY`; of decisions, `maxmemory`
//! counts what the process used before there were data.

use std::time::Duration;

/// Facts about the process; the shell refreshes them about once a second with [`crate::Input::Host`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HostFacts {
    /// Kernel name, release and architecture: `Linux 6.1.0 x86_64`.
    pub os: String,
    /// How the shell waits for sockets: `epoll`, `kqueue`.
    pub multiplexing: String,
    /// Absolute path of the program.
    pub executable: String,
    /// Absolute path of the configuration file; empty if there is none.
    pub config_file: String,
    /// Whether a supervisor has been told about readiness, and which: `no`, `systemd`.
    pub supervised: String,
    /// Where clients are listened for, one line of `INFO` each: `name=tcp,bind=127.0.0.1,port=6379`.
    pub listeners: Vec<String>,
    /// Threads that serve connections.
    pub io_threads: usize,
    /// Memory of the machine in bytes.
    pub total_memory: u64,
    /// Memory of the process that is in the machine's memory, in bytes.
    pub rss: u64,
    /// The allocator's own figures.
    pub allocator: Allocator,
    /// Time on processors.
    pub cpu: CpuTimes,
}

/// What the allocator says about itself, in bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Allocator {
    /// Name and version: `jemalloc-5.3.0`, `libc`.
    pub name: String,
    /// Handed out.
    pub allocated: u64,
    /// In pages that hold something handed out.
    pub active: u64,
    /// In pages that the process holds.
    pub resident: u64,
    /// In pages given back lazily.
    pub muzzy: u64,
}

/// Time on processors since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CpuTimes {
    /// In the kernel.
    pub sys: Duration,
    /// In the program.
    pub user: Duration,
    /// In the kernel, of ended child processes.
    pub sys_children: Duration,
    /// In ended child processes.
    pub user_children: Duration,
    /// In the kernel, of the first thread.
    pub sys_main_thread: Duration,
    /// In the program, of the first thread.
    pub user_main_thread: Duration,
}

/// The node's view of memory, made from the facts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// In use before there were data or clients.
    pub(crate) startup: u64,
    pub(crate) peak: u64,
}
