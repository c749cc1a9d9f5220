//! Facts about process and machine for `INFO`: memory, time on processors, where the server listens.

use crate::machine::Machine;
use std::path::Path;
use std::time::Duration;
use tanist_config::ServerConfig;
use tanist_node::{Allocator, CpuTimes, HostFacts, Input};
use tanist_runtime::notify::Supervisor;
use tikv_jemalloc_ctl::{epoch, stats};

/// Gathers the facts and tells them to the node.
pub(crate) struct Facts {
    facts: HostFacts,
}

/// The unit of the times in `/proc/self/stat` on every Linux that we know of.
const TICKS_PER_SECOND: u64 = 100;

impl Facts {
    pub(crate) fn new(config_file: Option<&Path>, supervisor: &Supervisor, io_threads: usize) -> Facts {
        let uname = rustix::system::uname();
        let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
        let executable = std::env::current_exe().unwrap_or_default();
        Facts {
            facts: HostFacts {
                os: [uname.sysname(), uname.release(), uname.machine()].map(text).join(" "),
                multiplexing: "epoll".into(),
                executable: executable.to_string_lossy().into_owned(),
                config_file: config_file.unwrap_or(Path::new("")).to_string_lossy().into_owned(),
                supervised: if supervisor.is_present() { "systemd" } else { "no" }.into(),
                io_threads,
                total_memory: meminfo_total().unwrap_or(0),
                ..HostFacts::default()
            },
        }
    }

    /// The server listens where this configuration says.
    pub(crate) fn listeners(&mut self, config: ServerConfig) {
        let mut listeners = Vec::new();
        if config.port != 0 {
            let binds: String = config.bind.iter().map(|b| format!("bind={b},")).collect();
            listeners.push(format!("name=tcp,{binds}port={}", config.port));
        }
        if !config.unixsocket.is_empty() {
            listeners.push(format!("name=unix,bind={}", config.unixsocket));
        }
        self.facts.listeners = listeners;
    }

    /// Gathers what changes and tells the node.
    pub(crate) fn tell(&mut self, machine: &Machine) {
        self.facts.rss = resident_memory().unwrap_or(0);
        self.facts.allocator = allocator();
        self.facts.cpu = cpu_times().unwrap_or_default();
        let facts = Box::new(self.facts.clone());
        machine.enter(|node, now, outs| node.step(now, Input::Host(facts), outs));
    }
}

fn allocator() -> Allocator {
    // The figures stand still between two epochs.
    let _ = epoch::advance();
    let bytes = |read: tikv_jemalloc_ctl::Result<usize>| read.unwrap_or(0) as u64;
    let version = tikv_jemalloc_ctl::version::read().unwrap_or_default();
    Allocator {
        name: format!("jemalloc-{}", version.split('-').next().unwrap_or_default()),
        allocated: bytes(stats::allocated::read()),
        active: bytes(stats::active::read()),
        resident: bytes(stats::resident::read()),
        // Not among the figures that the allocator's safe interface gives.
        muzzy: 0,
    }
}

fn resident_memory() -> Option<u64> {
    kib_line("/proc/self/status", "VmRSS:")
}

fn meminfo_total() -> Option<u64> {
    kib_line("/proc/meminfo", "MemTotal:")
}

/// The bytes that a line such as `VmRSS:  1234 kB` tells.
fn kib_line(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let kib: u64 = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

fn cpu_times() -> Option<CpuTimes> {
    let process = Ticks::read("/proc/self/stat")?;
    // The first thread of a process has the process' number.
    let main = Ticks::read(&format!("/proc/self/task/{}/stat", std::process::id()))?;
    Some(CpuTimes {
        user: process.time(11)?,
        sys: process.time(12)?,
        user_children: process.time(13)?,
        sys_children: process.time(14)?,
        user_main_thread: main.time(11)?,
        sys_main_thread: main.time(12)?,
    })
}

/// The fields of a `stat` file behind the program's name.
struct Ticks(String);

impl Ticks {
    fn read(path: &str) -> Option<Ticks> {
        let stat = std::fs::read_to_string(path).ok()?;
        // The program's name, in parentheses, may hold anything.
        let (_, rest) = stat.rsplit_once(')')?;
        Some(Ticks(rest.to_owned()))
    }

    fn time(&self, field: usize) -> Option<Duration> {
        let n: u64 = self.0.split_ascii_whitespace().nth(field)?.parse().ok()?;
        Some(Duration::from_millis(n * 1000 / TICKS_PER_SECOND))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_time() {
        assert!(resident_memory().is_some_and(|bytes| bytes > 0));
        assert!(meminfo_total().is_some_and(|bytes| bytes > 0));
        assert!(cpu_times().is_some());
        assert!(allocator().name.starts_with("jemalloc-"));
    }
}
