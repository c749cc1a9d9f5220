//! Replication between Tanist and Redis or Valkey, in both directions, with real processes.
//!
//! `cargo run -p interop -- [--peer PROGRAM]... [--port FIRST] [--only WORD]`: each case prints one line, PASS or FAIL;
//! the last line counts them, and the exit status is 1 if any failed. Without `--peer`, `redis-server` from the path is
//! the peer. The Tanist server is the one built beside this program, or the one named by `TANIST_SERVER`.

mod cases;
mod client;
mod server;

use server::Kind;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut peers = Vec::new();
    let (mut port, mut only) = (21900, String::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args.next();
        match (arg.as_str(), value) {
            ("--peer", Some(program)) => peers.push(PathBuf::from(program)),
            ("--port", Some(first)) => port = first.parse().unwrap_or(port),
            ("--only", Some(word)) => only = word,
            _ => {
                eprintln!("usage: interop [--peer PROGRAM]... [--port FIRST] [--only WORD]");
                return ExitCode::from(2);
            }
        }
    }
    if peers.is_empty() {
        peers.push("redis-server".into());
    }
    server::begin_ports(port);
    let ours = Kind { name: "tanist", program: our_server() };
    let (mut passed, mut failed) = (0, 0);
    let mut run = |peer: &Kind| {
        for (name, case) in cases::ALL.iter().filter(|(name, _)| name.contains(&only)) {
            match case(&ours, peer) {
                Ok(()) => {
                    passed += 1;
                    println!("PASS {}: {name}", peer.program.display());
                }
                Err(why) => {
                    failed += 1;
                    println!("FAIL {}: {name}: {why}", peer.program.display());
                }
            }
        }
    };
    for program in peers {
        run(&Kind { name: "peer", program });
    }
    println!("{passed} passed, {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}

/// The server built beside this program.
fn our_server() -> PathBuf {
    if let Some(program) = std::env::var_os("TANIST_SERVER") {
        return program.into();
    }
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("tanist-server")));
    beside.unwrap_or_else(|| "tanist-server".into())
}
