//! Redis' own tools against a Tanist server.

use super::{check, pair};
use crate::client::Failure;
use crate::server::{Kind, Server, same_data};
use std::path::PathBuf;
use std::process::Command;

type Outcome = Result<(), Failure>;

/// The tool beside the peer's server, of the same make.
fn tool(peer: &Kind, name: &str) -> PathBuf {
    let server = peer.program.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    peer.program.with_file_name(server.replace("server", name))
}

fn run(program: PathBuf, args: &[&str]) -> Outcome {
    let output =
        Command::new(&program).args(args).output().map_err(|e| format!("{}: {e}", program.display()))?;
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    check(output.status.success(), text)
}

/// A snapshot fetched by the peer's client is loaded by the peer's server.
pub(crate) fn rdb(ours: &Kind, theirs: &Kind) -> Outcome {
    let server = Server::start(ours, &[])?;
    let mut c = server.client()?;
    for i in 0..500 {
        c.must(&format!("SET key:{i} {}", "value".repeat(i % 40)))?;
    }
    let reader = Server::start(theirs, &["--dbfilename", "fetched.rdb"])?;
    let file = reader.dir.join("fetched.rdb");
    run(tool(theirs, "cli"), &["-p", &server.port.to_string(), "--rdb", &file.to_string_lossy()])?;
    let mut reader = reader;
    reader.restart()?;
    same_data(&server, &reader)?;
    check(server.must("ROLE")?.starts_with("master"), "a download made it something else")
}

/// The peer's benchmark runs, and the replica ends up with the same data.
pub(crate) fn benchmark(ours: &Kind, theirs: &Kind) -> Outcome {
    let (primary, replica) = pair(ours, theirs)?;
    let port = primary.port.to_string();
    let args =
        ["-p", &port, "-t", "set,incr,mset", "-n", "20000", "-r", "1000", "-P", "16", "-c", "10", "-q"];
    run(tool(theirs, "benchmark"), &args)?;
    check(primary.must("DBSIZE")? != "0", "nothing was written")?;
    same_data(&primary, &replica)
}
