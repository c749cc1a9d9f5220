//! The machine: what it is, and who runs on which core.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use crate::shell::{output, root};

/// The core of the server under test.
pub(crate) const SERVER_CORE: &str = "0";
/// The core of the load, and of a second server.
pub(crate) const LOAD_CORE: &str = "1";

/// How many cores there are. Counted once, before this process is pinned: afterwards it would seem to be one.
pub(crate) fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Pins this process to the load's core, if there is one to spare.
pub(crate) fn pin_load() {
    if cores() > 1 {
        let pid = std::process::id().to_string();
        // Without taskset everything still runs, only with more spread.
        let _ = Command::new("taskset").args(["-pc", LOAD_CORE, &pid]).output();
    }
}

/// Keeps idle cores from sleeping until the result is dropped, if the process may ask for that (as root, where the
/// kernel has the file): a core that waits in a loop is woken by a write to memory. To wake one that sleeps, on a virtual
/// machine, is an interrupt that goes through its host, and costs who sends it, here the server, more than all else that
/// it does for a batch.
///
/// The file and what is written into it: the kernel's `Documentation/power/pm_qos_interface.rst`.
pub(crate) fn keep_cores_awake() -> Option<File> {
    let mut file = File::options().write(true).open("/dev/cpu_dma_latency").ok()?;
    file.write_all(&0i32.to_ne_bytes()).ok()?;
    Some(file)
}

/// Lets the calling thread run as soon as it has something to do, as far as the process may ask for that: a probe that
/// shares its core with a busy replica otherwise measures its own turn, not the server's. Whether it may.
pub(crate) fn prefer_this_thread() -> bool {
    for_this_thread(Command::new("chrt").args(["-f", "-p", "1"]))
}

/// Moves the calling thread to a core; whether that was possible.
pub(crate) fn move_this_thread(core: &str) -> bool {
    for_this_thread(Command::new("taskset").args(["-pc", core]))
}

/// Lets the calling thread run only when there is nothing else to do on its core; whether that was possible.
pub(crate) fn defer_this_thread() -> bool {
    for_this_thread(Command::new("chrt").args(["-i", "-p", "0"]))
}

/// Runs a command on the calling thread's id.
fn for_this_thread(command: &mut Command) -> bool {
    let Ok(thread) = fs::read_link("/proc/thread-self") else { return false };
    let Some(id) = thread.file_name() else { return false };
    command.arg(id).output().is_ok_and(|out| out.status.success())
}

/// Lets the threads of a server that answer clients, the first one and those for I/O, run before whatever else is to be
/// done on their core; the server's other threads and the processes that it forks are ordinary ones.
pub(crate) fn prefer_answers(pid: u32) {
    for (thread, answers) in threads(pid) {
        if answers {
            let _ = Command::new("chrt").args(["-R", "-f", "-p", "1", &thread]).output();
        }
    }
}

/// Gives the threads of a server that answer clients the server's core for themselves: what it does beside answering,
/// it does on the load's core, as on a machine with cores to spare. They go before other processes there, but not in
/// real time, which would keep the kernel's own work for the network off the core.
pub(crate) fn answers_alone(pid: u32) {
    if cores() > 1 {
        for (thread, answers) in threads(pid) {
            let core = if answers { SERVER_CORE } else { LOAD_CORE };
            let _ = Command::new("taskset").args(["-pc", core, &thread]).output();
            if answers {
                let _ = Command::new("renice").args(["-n", "-20", "-p", &thread]).output();
            }
        }
    }
}

/// The threads of a server, and whether clients are answered there.
fn threads(pid: u32) -> Vec<(String, bool)> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let answers = |path: &Path, id: &str| {
        let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
        id == pid.to_string() || name.starts_with("io")
    };
    let one = |thread: fs::DirEntry| {
        let id = thread.file_name().to_string_lossy().into_owned();
        let answers = answers(&thread.path(), &id);
        (id, answers)
    };
    threads.flatten().map(one).collect()
}

/// Facts for the head of the table.
pub(crate) fn facts() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|l| l.strip_prefix("model name")).unwrap_or_default();
    let model = model.trim_start_matches([' ', '\t', ':']);
    let cores = cpuinfo.lines().filter(|l| l.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = memory
        .lines()
        .find_map(|l| l.strip_prefix("MemTotal:"))
        .and_then(|l| l.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // Other work shows here, and then in the spread.
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').nth(2).unwrap_or("unknown");
    let gib = kib / 1024 / 1024;
    format!("{cores} cores of {model}, {gib} GiB, Linux {}, load average {load}", kernel.trim())
}

/// The commit that is measured.
pub(crate) fn commit() -> String {
    let git = |args: &[&str]| output(Command::new("git").current_dir(root()).args(args)).unwrap_or_default();
    let mut id = git(&["rev-parse", "--short=10", "HEAD"]).trim().to_owned();
    // What the bench itself writes is no change to what it measured.
    let sources = ["--", ":/", ":(exclude)docs/benchmarks.md", ":(exclude)docs/zrank.svg"];
    if !git(&[&["status", "--porcelain", "--untracked-files=no"], &sources[..]].concat()).trim().is_empty() {
        id.push_str(" with changes");
    }
    id
}

/// Today, as `YYYY-MM-DD`.
pub(crate) fn today() -> String {
    output(Command::new("date").args(["-u", "+%Y-%m-%d"])).unwrap_or_default().trim().to_owned()
}
