//! Facts about process and machine for `INFO`: memory, time on processors, where the server listens.

use crate::machine::Machine;
use std::path::Path;
use tanist_config::ServerConfig;
use tanist_node::{Allocator, CpuTimes, HostFacts, Input};
use tanist_runtime::cpu::CpuTime;
use tanist_runtime::notify::Supervisor;
use tikv_jemalloc_ctl::{epoch, stats};

/// Gathers the facts and tells them to the node.
pub(crate) struct Facts {
    facts: HostFacts,
}

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
                supervised: supervisor.name().into(),
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
    let (process, main) = (CpuTime::of_process()?, CpuTime::of_main_thread()?);
    Some(CpuTimes {
        user: process.user,
        sys: process.sys,
        user_children: process.user_children,
        sys_children: process.sys_children,
        user_main_thread: main.user,
        sys_main_thread: main.sys,
    })
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
