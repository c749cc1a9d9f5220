//! What the process has used, from `/proc/self/stat`; zeros where there is no such file.

use crate::core::Usage;

/// Clock ticks per second of the fields below, which Linux fixes for user space.
const TICKS: u64 = 100;

/// Reads the time spent in the kernel and in the program.
pub(super) fn read() -> Usage {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is a name in brackets that may contain anything.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or("").split_ascii_whitespace().collect();
    let micros =
        |i: usize| fields.get(i).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0) * (1_000_000 / TICKS);
    Usage { user_us: micros(11), sys_us: micros(12) }
}
