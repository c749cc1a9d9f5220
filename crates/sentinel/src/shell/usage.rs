//! What the process has used, from `/proc/self`; zeros where there is no such folder.

use crate::core::Usage;

/// Clock ticks per second of the fields below, which Linux fixes for user space.
const TICKS: u64 = 100;

/// Reads the time spent in the kernel and in the program, by all threads and by the one that the sentinel runs on, which
/// has the number of the process.
pub(super) fn read() -> Usage {
    let (user_us, sys_us) = times("/proc/self/stat");
    let (main_user_us, main_sys_us) = times(&format!("/proc/self/task/{}/stat", std::process::id()));
    Usage { sys_us, user_us, main_sys_us, main_user_us }
}

/// In the program and in the kernel.
fn times(file: &str) -> (u64, u64) {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    // The second field is a name in brackets that may contain anything.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or("").split_ascii_whitespace().collect();
    let micros =
        |i: usize| fields.get(i).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0) * (1_000_000 / TICKS);
    (micros(11), micros(12))
}
