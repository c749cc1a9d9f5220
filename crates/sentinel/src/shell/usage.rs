//! What the process has used; zeros where that cannot be known.

use crate::core::Usage;
use std::time::Duration;
use tanist_runtime::cpu::CpuTime;

/// Reads the time spent in the kernel and in the program, by all threads and by the one that the sentinel runs on, which
/// is the first.
pub(super) fn read() -> Usage {
    let process = CpuTime::of_process().unwrap_or_default();
    let main = CpuTime::of_main_thread().unwrap_or_default();
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Usage {
        sys_us: micros(process.sys),
        user_us: micros(process.user),
        main_sys_us: micros(main.sys),
        main_user_us: micros(main.user),
    }
}
