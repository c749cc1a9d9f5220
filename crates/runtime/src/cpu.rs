//! Time on processors, by `/proc`.

use std::time::Duration;

/// The unit of the times in `/proc/self/stat` on every Linux that we know of.
const TICKS_PER_SECOND: u64 = 100;

/// What a process or a thread has spent on processors since it began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CpuTime {
    /// In the program.
    pub user: Duration,
    /// In the kernel.
    pub sys: Duration,
    /// In the program, by children that have ended.
    pub user_children: Duration,
    /// In the kernel, by children that have ended.
    pub sys_children: Duration,
}

impl CpuTime {
    /// That of this process, all its threads together; `None` where there is no `/proc`.
    #[must_use]
    pub fn of_process() -> Option<CpuTime> {
        CpuTime::read("/proc/self/stat")
    }

    /// That of the process' first thread, which has the number of the process; `None` where there is no `/proc`.
    #[must_use]
    pub fn of_main_thread() -> Option<CpuTime> {
        CpuTime::read(&format!("/proc/self/task/{}/stat", std::process::id()))
    }

    fn read(path: &str) -> Option<CpuTime> {
        let stat = std::fs::read_to_string(path).ok()?;
        // The program's name, in parentheses, may hold anything.
        let (_, rest) = stat.rsplit_once(')')?;
        let mut times = rest.split_ascii_whitespace().skip(11).map(|field| {
            let ticks: u64 = field.parse().ok()?;
            Some(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
        });
        let mut next = || times.next().flatten();
        Some(CpuTime { user: next()?, sys: next()?, user_children: next()?, sys_children: next()? })
    }
}

#[cfg(test)]
mod tests {
    use super::CpuTime;

    #[test]
    fn this_process_and_its_first_thread_are_found() {
        // The thread first: meanwhile the process can only have spent more.
        let (thread, process) = (CpuTime::of_main_thread(), CpuTime::of_process());
        assert!(process.zip(thread).is_some_and(|(process, thread)| process.user >= thread.user));
    }
}
