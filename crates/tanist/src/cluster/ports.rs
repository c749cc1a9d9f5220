//! Ports: refused before anything is started, with a message that says what to do.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, bail};

/// Whether something holds `port` of the loopback address.
pub fn in_use(port: u16) -> bool {
    // Rust's listener sets SO_REUSEADDR: connections of a former owner in TIME_WAIT do not count.
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err()
}

/// How often, and how long apart, a port is looked at before it is called taken: whoever looks holds it for an instant, so
/// that two who look at the same moment would both be refused.
const LOOKS: (u32, Duration) = (10, Duration::from_millis(20));

/// Fails, naming them all, if one of `ports` is taken.
pub fn require_free(ports: &[u16]) -> Result<()> {
    let mut taken: Vec<u16> = ports.to_vec();
    for look in 0..LOOKS.0 {
        if look > 0 {
            sleep(LOOKS.1);
        }
        taken.retain(|port| in_use(*port));
        if taken.is_empty() {
            return Ok(());
        }
    }
    let taken: Vec<String> = taken.iter().map(u16::to_string).collect();
    let (noun, verb) = if taken.len() == 1 { ("port", "is") } else { ("ports", "are") };
    bail!(
        "{noun} {} on 127.0.0.1 {verb} in use; nothing was started. Choose others with --port and --sentinel-port.",
        taken.join(", ")
    )
}

/// `count` free ports in a row; others every time, as long as there are any.
///
/// They lie below the range from which the kernel takes the ports of outgoing connections: the port of a
/// killed node must not be given to a client that is just reconnecting to it.
pub fn free_block(count: u16) -> Result<u16> {
    const LOW: u16 = 22_000;
    const HIGH: u16 = 32_000;
    const SPAN: u16 = HIGH - LOW;
    // What was given out is free until its taker listens there: the next one, on another thread, looks behind it.
    static NEXT: Mutex<Option<u16>> = Mutex::new(None);
    if count == 0 || count > SPAN {
        bail!("there are no {count} ports in a row between {LOW} and {HIGH}; choose some with --port");
    }
    let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    // Different processes start to look at different places, so that drills side by side seldom race.
    let start = next.unwrap_or((std::process::id() % u32::from(SPAN / 16)) as u16 * 16);
    for i in 0..SPAN {
        let base = LOW + (start + i) % SPAN;
        if base <= HIGH - count && (base..base + count).all(|p| !in_use(p)) {
            *next = Some((base - LOW + count) % SPAN);
            return Ok(base);
        }
    }
    bail!("no {count} free ports in a row between {LOW} and {HIGH}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_port_is_named() {
        // Below the ports that the kernel gives to anybody, and beside those that the other test looks at.
        let held = (21_000..22_000).find_map(|p| TcpListener::bind((Ipv4Addr::LOCALHOST, p)).ok()).unwrap();
        let port = held.local_addr().unwrap().port();
        let message = require_free(&[port]).unwrap_err().to_string();
        assert!(message.starts_with(&format!("port {port} on 127.0.0.1 is in use")), "{message}");
        drop(held);
        // A process that another test is just starting has the socket too, until its program runs.
        let free = (0..5_000).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            require_free(&[port]).is_ok()
        });
        assert!(free, "port {port} stays taken");
    }

    #[test]
    fn two_that_look_at_once_are_not_refused_for_that() {
        // Beside those of the other tests.
        let ports: Vec<u16> = (20_000..21_000).filter(|p| !in_use(*p)).take(6).collect();
        let look = || (0..200).for_each(|_| require_free(&ports).unwrap());
        std::thread::scope(|scope| {
            scope.spawn(look);
            scope.spawn(look);
        });
    }

    #[test]
    fn no_block_is_too_large_to_be_refused() {
        for count in [0, 10_001, u16::MAX] {
            assert!(
                free_block(count).unwrap_err().to_string().contains("choose some with --port"),
                "{count}"
            );
        }
    }

    #[test]
    fn two_that_look_at_once_get_different_blocks() {
        let looking = [(); 2].map(|()| std::thread::spawn(|| free_block(6).unwrap()));
        let [one, other] = looking.map(|thread| thread.join().unwrap());
        assert!(one.abs_diff(other) >= 6, "{one} and {other}");
    }

    #[test]
    fn a_block_is_free_and_in_range() {
        let base = free_block(6).unwrap();
        assert!((22_000..32_000).contains(&base));
        assert!((base..base + 6).all(|p| TcpListener::bind((Ipv4Addr::LOCALHOST, p)).is_ok()));
    }
}
