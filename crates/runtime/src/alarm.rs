//! Waiting for time to pass, by a timer of the kernel's that is watched like a socket.
//!
//! The timers of the asynchronous runtime make every wait for sockets a wait with a time limit, and have the clock
//! read before and after it: for a client that sends one request at a time that is per request. This timer costs
//! nothing before it is due, so the server's runtimes have no other.

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A timer on the monotonic clock, for one wait at a time.
#[derive(Debug)]
pub struct Alarm {
    timer: AsyncFd<OwnedFd>,
}

impl Alarm {
    /// A timer of the running runtime.
    ///
    /// # Errors
    /// When the process has no file descriptor left.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn new() -> io::Result<Alarm> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        #[expect(deprecated, reason = "for descriptors that may close or change: this one is ours alone")]
        let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
        Ok(Alarm { timer })
    }

    /// Waits for `time` to pass. A wait that is given up leaves nothing behind for the next one.
    ///
    /// # Errors
    /// Only when the runtime ends.
    pub async fn after(&self, time: Duration) -> io::Result<()> {
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: timespec(time) };
        // Setting it takes back what it has said before.
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        loop {
            let mut ready = self.timer.readable().await?;
            // An earlier wait's readiness may still be noted: then there is nothing to read.
            let read = ready.try_io(|timer| Ok(rustix::io::read(timer, &mut [0; 8])?));
            if let Ok(read) = read {
                return read.map(|_| ());
            }
        }
    }
}

/// As the kernel takes it: all zeros would stop the timer, and what is too much for it is for ever.
fn timespec(time: Duration) -> Timespec {
    let time = time.max(Duration::from_nanos(1));
    Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};
    use std::time::Instant;

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap().block_on(future)
    }

    #[test]
    fn it_rings_when_the_time_is_over() {
        block_on(async {
            let alarm = Alarm::new().unwrap();
            for time in [Duration::ZERO, Duration::from_millis(20)] {
                let began = Instant::now();
                alarm.after(time).await.unwrap();
                assert!(began.elapsed() >= time);
            }
        });
    }

    #[test]
    fn a_wait_that_was_given_up_does_not_end_the_next_one() {
        block_on(async {
            let alarm = Alarm::new().unwrap();
            {
                let given_up = pin!(alarm.after(Duration::from_nanos(1)));
                let _ = given_up.poll(&mut Context::from_waker(Waker::noop()));
            }
            // The runtime has seen it ring.
            alarm.timer.readable().await.unwrap().retain_ready();
            let began = Instant::now();
            let time = Duration::from_millis(20);
            alarm.after(time).await.unwrap();
            assert!(began.elapsed() >= time);
        });
    }

    #[test]
    fn every_time_is_one_for_the_kernel() {
        let shown = |time| {
            let Timespec { tv_sec, tv_nsec } = timespec(time);
            (tv_sec, tv_nsec)
        };
        assert_eq!(shown(Duration::ZERO), (0, 1));
        assert_eq!(shown(Duration::from_millis(2500)), (2, 500_000_000));
        assert_eq!(shown(Duration::MAX), (i64::MAX, 999_999_999));
    }
}
