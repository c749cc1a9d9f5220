//! Server processes in folders of their own, on ports of this machine; ended when dropped.

use crate::client::{Client, Failure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tanist_resp::Value;

/// Keys by database, each with its value and what its expiry says.
type Data = BTreeMap<(u8, Vec<u8>), (Vec<u8>, String)>;

/// Where ports begin; each server takes the next one that is free.
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// Sets the first port.
pub(crate) fn begin_ports(first: u16) {
    NEXT_PORT.store(first, Ordering::Relaxed);
}

/// A kind of server: a name for the report, and the program.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) kind: Kind,
    pub(crate) dir: PathBuf,
    args: Vec<String>,
    child: Child,
}

impl Server {
    /// Starts a server with further arguments and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn start(kind: &Kind, args: &[&str]) -> Result<Server, Failure> {
        let port = loop {
            let port = NEXT_PORT.fetch_add(1, Ordering::Relaxed);
            if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
                break port;
            }
        };
        let dir = std::env::temp_dir().join(format!("tanist-interop-{}-{port}", std::process::id()));
        fs::create_dir_all(&dir).map_err(|e| e.to_string())?;
        let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
        let child = spawn(kind, port, &dir, &args)?;
        let mut server = Server { port, kind: kind.clone(), dir, args, child };
        server.wait_until_up()?;
        Ok(server)
    }

    /// Kills the process and starts it again in the same folder.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn restart(&mut self) -> Result<(), Failure> {
        self.kill();
        self.child = spawn(&self.kind, self.port, &self.dir, &self.args)?;
        self.wait_until_up()
    }

    /// Ends the process at once.
    pub(crate) fn kill(&mut self) {
        // Gone already is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn wait_until_up(&mut self) -> Result<(), Failure> {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            if let Ok(mut client) = Client::connect(self.port)
                && client.say("PING").is_ok_and(|r| !r.starts_with("-LOADING"))
            {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("{} ended with {status}: {}", self.kind.name, self.last_log()));
            }
            if Instant::now() > until {
                return Err(format!("{} does not answer: {}", self.kind.name, self.last_log()));
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// The end of the server's log.
    pub(crate) fn last_log(&self) -> String {
        let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(6)..].join("\n    ")
    }

    /// A connection.
    ///
    /// # Errors
    /// When the server is down.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        Client::connect(self.port)
    }

    /// One command on a connection of its own.
    ///
    /// # Errors
    /// When it fails or its reply is an error.
    pub(crate) fn must(&self, line: &str) -> Result<String, Failure> {
        self.client()?.must(line)
    }

    /// Makes it follow another one and waits until the link is up.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn follow(&self, primary: &Server) -> Result<(), Failure> {
        self.must(&format!("REPLICAOF 127.0.0.1 {}", primary.port))?;
        self.wait_for_link()
    }

    /// Waits until the link to the primary is up.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn wait_for_link(&self) -> Result<(), Failure> {
        eventually(&format!("{} on {} has a link", self.kind.name, self.port), || {
            Ok(self.must("ROLE")?.contains(" connected "))
        })
        .map_err(|e| format!("{e}\n    {}", self.last_log()))
    }

    /// A field of `INFO`.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn info(&self, section: &str, field: &str) -> Result<String, Failure> {
        let info = self.must(&format!("INFO {section}"))?;
        let line = info.lines().find_map(|l| l.strip_prefix(field)?.strip_prefix(':').map(str::to_owned));
        line.ok_or_else(|| format!("INFO {section} of {} has no {field}", self.kind.name))
    }

    /// All keys of all databases with value and expiry time in milliseconds.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub(crate) fn data(&self) -> Result<Data, Failure> {
        let mut client = self.client()?;
        let mut all = BTreeMap::new();
        for db in 0..4u8 {
            client.must(&format!("SELECT {db}"))?;
            let mut cursor = b"0".to_vec();
            loop {
                let Value::Array(reply) = client.call(&[b"SCAN", &cursor, b"COUNT", b"1000"])? else {
                    return Err("SCAN did not reply with an array".into());
                };
                let [next, Value::Array(keys)] = reply.as_slice() else {
                    return Err("SCAN did not reply with two elements".into());
                };
                for key in keys.iter().filter_map(Value::as_bytes) {
                    let value = client.call(&[b"GET", key])?;
                    let expiry = client.call(&[b"PEXPIRETIME", key])?;
                    let value = value.as_bytes().unwrap_or_default().to_vec();
                    all.insert((db, key.to_vec()), (value, crate::client::text(&expiry)));
                }
                cursor = next.as_bytes().unwrap_or(b"0").to_vec();
                if cursor == b"0" {
                    break;
                }
            }
        }
        Ok(all)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        // What is left behind is in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn spawn(kind: &Kind, port: u16, dir: &Path, args: &[String]) -> Result<Child, Failure> {
    let log =
        fs::OpenOptions::new().create(true).append(true).open(dir.join("log")).map_err(|e| e.to_string())?;
    Command::new(&kind.program)
        .args(["--port", &port.to_string(), "--save", "", "--repl-diskless-sync-delay", "0"])
        .args(args)
        .arg("--dir")
        .arg(dir)
        .stdin(Stdio::null())
        .stderr(log.try_clone().map_err(|e| e.to_string())?)
        .stdout(log)
        .spawn()
        .map_err(|e| format!("{}: {e}", kind.program.display()))
}

/// Waits until something is so, ten seconds at most.
///
/// # Errors
/// When it does not become so.
pub(crate) fn eventually(
    what: &str,
    mut is_so: impl FnMut() -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let last = is_so();
        if last == Ok(true) {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(format!("not so after ten seconds: {what} ({last:?})"));
        }
        sleep(Duration::from_millis(20));
    }
}

/// Waits until two servers hold the same.
///
/// # Errors
/// When they do not.
pub(crate) fn same_data(a: &Server, b: &Server) -> Result<(), Failure> {
    eventually(&format!("{} and {} hold the same", a.kind.name, b.kind.name), || Ok(a.data()? == b.data()?))
        .map_err(|e| {
            let count = |s: &Server| s.data().map_or(0, |d| d.len());
            format!("{e}: {} and {} keys\n    {}", count(a), count(b), b.last_log())
        })
}
