//! Ctrl-C and SIGTERM: asked for politely, noticed promptly, never in the middle of something.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Result;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Runs `then` in a thread of its own at the first SIGINT, SIGTERM or SIGHUP.
pub fn on_stop(then: impl FnOnce() + Send + 'static) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    // Registered before this function returns: no signal after it takes the default way.
    let (mut int, mut term, mut hup) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?)
    };
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = int.recv() => {}
                _ = term.recv() => {}
                _ = hup.recv() => {}
            }
        });
        then();
    });
    Ok(())
}

/// A flag that the first such signal raises.
pub fn stop_flag() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = flag.clone();
    on_stop(move || raised.store(true, Ordering::Relaxed))?;
    Ok(flag)
}
