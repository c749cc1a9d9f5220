//! The server as a process, spoken to over a unix socket: what its users see of the shell.

#[path = "server/debugging.rs"]
mod debugging;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tanist_resp::{Decoder, Value, encode_command};

/// How long anything may take before a test gives up. Generous: it only bounds a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server in a directory of its own.
struct Server {
    child: Child,
    dir: PathBuf,
}

impl Server {
    fn start(name: &str, args: &[&str]) -> Server {
        let dir = std::env::temp_dir().join(format!("tanist-server-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Server::start_in(dir, args)
    }

    fn start_in(dir: PathBuf, args: &[&str]) -> Server {
        Server::start_with(dir, &[], args)
    }

    /// `first` stands before all other arguments, where a configuration file does.
    fn start_with(dir: PathBuf, first: &[&str], args: &[&str]) -> Server {
        let socket = dir.join("s.sock");
        let child = Command::new(env!("CARGO_BIN_EXE_tanist-server"))
            .args(first)
            .args(["--port", "0", "--logfile", "log", "--dir"])
            .arg(&dir)
            .arg("--unixsocket")
            .arg(&socket)
            .args(args)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { child, dir };
        server.wait_for_log("Ready to accept connections unix");
        server
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    fn wait_for_log(&self, text: &str) {
        let began = Instant::now();
        while !self.log().contains(text) {
            assert!(began.elapsed() < PATIENCE, "no {text:?} in the log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn connect(&self) -> Client {
        let stream = UnixStream::connect(self.dir.join("s.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client { stream, decoder: Decoder::new() }
    }

    /// Ends it with a signal; returns the exit status.
    fn stop(&mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

struct Client {
    stream: UnixStream,
    decoder: Decoder,
}

impl Client {
    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    fn read(&mut self) -> Value {
        let mut buf = [0; 65536];
        loop {
            if let Some(value) = self.decoder.next().unwrap() {
                return value;
            }
            let n = self.stream.read(&mut buf).unwrap();
            assert!(n > 0, "the server has closed the connection");
            self.decoder.feed(&buf[..n]);
        }
    }

    fn call(&mut self, args: &[&[u8]]) -> Value {
        let mut out = Vec::new();
        encode_command(&mut out, args);
        self.send(&out);
        self.read()
    }

    /// Sends a command given as words; gives its reply as [`Client::say_next`] does.
    fn say(&mut self, line: &str) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let mut out = Vec::new();
        encode_command(&mut out, &words);
        self.send(&out);
        self.say_next()
    }

    /// The next reply as text, the parts of a list with spaces between them.
    fn say_next(&mut self) -> String {
        fn text(value: &Value) -> String {
            match value {
                Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
                other => {
                    let bytes = other.as_bytes().or(other.as_error()).unwrap_or_default();
                    String::from_utf8_lossy(bytes).into_owned()
                }
            }
        }
        text(&self.read())
    }

    /// Everything up to the end of the connection, as text.
    fn rest(&mut self) -> String {
        let mut out = Vec::new();
        // A reset is an end too.
        let _ = self.stream.read_to_end(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tanist-server")).args(args).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn commands_over_two_threads() {
    let server = Server::start("threads", &["--save", "", "--io-threads", "2"]);
    let mut clients: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    for round in 0..50 {
        for (i, client) in clients.iter_mut().enumerate() {
            let key = format!("k{i}");
            assert!(client.call(&[b"SET", key.as_bytes(), round.to_string().as_bytes()]).is_ok());
        }
        for (i, client) in clients.iter_mut().enumerate() {
            let key = format!("k{}", 3 - i);
            assert_eq!(client.call(&[b"GET", key.as_bytes()]).as_int(), Some(round));
        }
    }
}

#[test]
fn messages_reach_connections_of_other_threads() {
    let server = Server::start("pubsub", &["--save", "", "--io-threads", "2"]);
    let mut subscribers: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    for client in &mut subscribers {
        client.call(&[b"SUBSCRIBE", b"c"]);
    }
    let mut publisher = server.connect();
    for n in 0..100 {
        assert_eq!(publisher.call(&[b"PUBLISH", b"c", n.to_string().as_bytes()]).as_int(), Some(4));
    }
    for client in &mut subscribers {
        for n in 0..100 {
            let message = client.read();
            assert_eq!(message.as_items().unwrap()[2].as_int(), Some(n));
        }
    }
}

#[test]
fn a_long_pipeline_is_answered_though_nobody_reads_meanwhile() {
    let server = Server::start("pipeline", &["--save", ""]);
    let mut client = server.connect();
    let mut command = Vec::new();
    encode_command(&mut command, &[b"ECHO", &[b'x'; 200]]);
    client.send(&command.repeat(20_000));
    for _ in 0..20_000 {
        assert_eq!(client.read(), Value::Bulk(vec![b'x'; 200]));
    }
}

#[test]
fn a_long_pipeline_goes_on_behind_a_command_that_waits() {
    let server = Server::start("pipeline-wait", &["--save", "", "--io-threads", "1"]);
    let (mut client, mut other) = (server.connect(), server.connect());
    let mut commands = b"PING\r\n".repeat(700);
    commands.extend_from_slice(b"BLPOP list 0\r\n");
    commands.extend(b"PING\r\n".repeat(700));
    client.send(&commands);
    for _ in 0..700 {
        assert_eq!(client.read(), Value::Simple("PONG".into()));
    }
    assert_eq!(other.call(&[b"RPUSH", b"list", b"x"]).as_int(), Some(1));
    assert_eq!(client.read().as_items().map(<[Value]>::len), Some(2));
    for _ in 0..700 {
        assert_eq!(client.read(), Value::Simple("PONG".into()));
    }
}

#[test]
fn a_large_value_goes_in_and_out() {
    let server = Server::start("large", &["--save", ""]);
    let mut client = server.connect();
    let value: Vec<u8> = (0..20_000_000u32).map(|n| (n % 251) as u8).collect();
    assert!(client.call(&[b"SET", b"k", &value]).is_ok());
    assert_eq!(client.call(&[b"GET", b"k"]), Value::Bulk(value));
}

#[test]
fn what_breaks_the_protocol_is_told_and_closed() {
    let server = Server::start("protocol", &["--save", ""]);
    for (input, output) in [
        (b"PING\r\n*1\r\nfoo\r\n".as_slice(), "+PONG\r\n-ERR Protocol error: expected '$', got 'f'\r\n"),
        (b"PING \"a\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"),
        (b"QUIT\r\n", "+OK\r\n"),
    ] {
        let mut client = server.connect();
        client.send(input);
        assert_eq!(client.rest(), output);
    }
    let mut other = server.connect();
    assert_eq!(other.call(&[b"PING"]), Value::Simple(b"PONG".to_vec()));
    assert!(other.say("INFO errorstats").contains("errorstat_ERR:count=2\r\n"));
}

#[test]
fn a_client_without_password_gets_only_little_commands() {
    let server = Server::start("auth", &["--save", "", "--requirepass", "secret"]);
    let mut client = server.connect();
    client.send(b"*11\r\n");
    assert_eq!(client.rest(), "-ERR Protocol error: unauthenticated multibulk length\r\n");
    let mut client = server.connect();
    let mut pipeline = Vec::new();
    encode_command(&mut pipeline, &[b"AUTH", b"secret"]);
    encode_command(&mut pipeline, &[b"SET", b"k", &[b'x'; 20_000]]);
    client.send(&pipeline);
    assert!(client.read().is_ok());
    assert!(client.read().is_ok());
}

#[test]
fn only_so_many_clients() {
    let server = Server::start("maxclients", &["--save", "", "--maxclients", "2"]);
    let mut clients = [server.connect(), server.connect()];
    for client in &mut clients {
        client.call(&[b"PING"]);
    }
    assert_eq!(server.connect().rest(), "-ERR max number of clients reached\r\n");
    let [one, _two] = clients;
    drop(one);
    let began = Instant::now();
    while server.connect().rest_is_refusal() {
        assert!(began.elapsed() < PATIENCE, "the place of a client that has gone is not given to another");
    }
}

impl Client {
    fn rest_is_refusal(mut self) -> bool {
        self.stream.write_all(b"PING\r\nQUIT\r\n").is_err() || !self.rest().starts_with("+PONG")
    }
}

#[test]
fn a_client_that_sends_too_much_at_once_is_closed() {
    let server = Server::start("querybuf", &["--save", "", "--client-query-buffer-limit", "1mb"]);
    let mut client = server.connect();
    let _ = client.stream.write_all(b"*2\r\n$3\r\nGET\r\n$3000000\r\n");
    let _ = client.stream.write_all(&vec![b'x'; 3_000_000]);
    assert_eq!(client.rest(), "");
    server.wait_for_log("reached max query buffer length");
}

#[test]
fn a_subscriber_that_does_not_read_is_closed() {
    let limit = ["--save", "", "--client-output-buffer-limit", "pubsub", "1mb", "0", "0"];
    let server = Server::start("outbuf", &limit);
    let mut subscriber = server.connect();
    subscriber.call(&[b"SUBSCRIBE", b"c"]);
    let mut publisher = server.connect();
    let payload = vec![b'x'; 100_000];
    let began = Instant::now();
    while publisher.call(&[b"PUBLISH", b"c", &payload]).as_int() == Some(1) {
        assert!(began.elapsed() < PATIENCE);
    }
    server.wait_for_log("overcoming of output buffer limits");
}

#[test]
fn data_survive_an_orderly_end() {
    let mut server = Server::start("restart", &["--save", "3600 1"]);
    assert!(server.connect().call(&[b"SET", b"k", b"v"]).is_ok());
    assert_eq!(server.stop(), Some(0));
    assert!(!server.dir.join("s.sock").exists());
    std::fs::remove_file(server.dir.join("log")).unwrap();
    let mut server = Server::start_in(server.dir.clone(), &[]);
    assert_eq!(server.connect().call(&[b"GET", b"k"]), Value::Bulk(b"v".to_vec()));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_damaged_snapshot_stops_the_start() {
    let dir = std::env::temp_dir().join(format!("tanist-server-damaged-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("dump.rdb"), b"REDIS0011\xfe\x00garbage").unwrap();
    let socket = dir.join("s.sock");
    let output = run(&["--port", "0", "--unixsocket", path(&socket), "--dir", path(&dir)]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("Fatal error loading the DB"), "{text}");
    std::fs::remove_dir_all(&dir).unwrap();
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn who_insists_on_the_end_leaves_no_half_file() {
    let mut server = Server::start("insists", &["--save", "3600 1", "--rdb-key-save-delay", "2000000000"]);
    server.connect().call(&[b"SET", b"a", b"1"]);
    let interrupt = |server: &Server| {
        let pid = rustix::process::Pid::from_child(&server.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    };
    interrupt(&server);
    server.wait_for_log("Saving the final RDB snapshot");
    let half = server.dir.join(format!("temp-{}.rdb", server.child.id()));
    let began = Instant::now();
    while !half.exists() {
        assert!(began.elapsed() < PATIENCE, "no half file");
        std::thread::sleep(Duration::from_millis(5));
    }
    interrupt(&server);
    assert_eq!(server.child.wait().unwrap().code(), Some(1));
    assert!(!half.exists());
}

#[test]
fn starts_that_fail_say_why() {
    let output = run(&["--nonsense", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("FATAL CONFIG FILE ERROR"));
    let output = run(&["--port", "0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Configured to not listen anywhere, exiting."));
    let output = run(&["/nonexistent/x.conf"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "Fatal error, can't open config file '/nonexistent/x.conf': No such file or directory\n"
    );
    assert_eq!(run(&["--version"]).status.code(), Some(0));
}

#[test]
fn the_configuration_may_come_from_standard_input() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tanist-server"))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"port 0\nlog-format json\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("\"message\":\"Configured to not listen anywhere, exiting.\""), "{text}");
}

#[test]
fn a_daemon_leaves_its_number_and_its_launcher() {
    let dir = std::env::temp_dir().join(format!("tanist-server-daemon-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let (socket, pid_file) = (dir.join("s.sock"), dir.join("pid"));
    let output = run(&[
        "--daemonize",
        "yes",
        "--port",
        "0",
        "--unixsocket",
        path(&socket),
        "--dir",
        path(&dir),
        "--pidfile",
        path(&pid_file),
        "--logfile",
        "log",
        "--save",
        "",
    ]);
    assert_eq!(output.status.code(), Some(0));
    let began = Instant::now();
    while !std::fs::read_to_string(dir.join("log")).is_ok_and(|log| log.contains("Ready to accept")) {
        assert!(began.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid: i32 = std::fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    while pid_file.exists() {
        assert!(began.elapsed() < PATIENCE, "an orderly end removes the pid file");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_rewritten_configuration_keeps_comments_and_is_read_again() {
    let dir = std::env::temp_dir().join(format!("tanist-server-rewrite-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("my.conf");
    std::fs::write(&file, "# mine\nmaxclients 50\nslave-priority 7\n").unwrap();
    let server = Server::start_with(dir.clone(), &[path(&file)], &[]);
    let mut c = server.connect();
    assert_eq!(c.say("CONFIG SET maxclients 60 timeout 100"), "OK");
    assert_eq!(c.say("CONFIG REWRITE"), "OK");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# mine\nmaxclients 60\nreplica-priority 7\n"), "{text}");
    assert!(text.contains("\n# Generated by CONFIG REWRITE\n") && text.contains("\ntimeout 100\n"), "{text}");
    assert!(c.say("INFO server").contains(&format!("config_file:{}\r\n", path(&file))));
    drop(c);
    std::mem::forget(stopped(server));

    let again = Server::start_with(dir, &[path(&file)], &[]);
    assert_eq!(again.connect().say("CONFIG GET timeout"), "timeout 100");
}

#[test]
fn users_are_written_to_their_file_and_read_again() {
    let dir = std::env::temp_dir().join(format!("tanist-server-users-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("users.acl");
    std::fs::write(&file, "user bob on nopass +get ~a\n").unwrap();
    let args = ["--save", "", "--aclfile", "users.acl"];
    let server = Server::start_in(dir.clone(), &args);
    let (mut c, mut bob) = (server.connect(), server.connect());
    assert_eq!(bob.say("AUTH bob x"), "OK");
    assert_eq!(c.say("ACL SETUSER bob +ping"), "OK");
    assert_eq!(c.say("ACL SAVE"), "OK");
    let saved = "user bob on nopass ~a resetchannels -@all +get +ping\nuser default on nopass ~* &* +@all\n";
    assert_eq!(std::fs::read_to_string(&file).unwrap(), saved);
    assert_eq!(bob.say("PING"), "PONG");
    std::fs::write(&file, "user bob on nopass +get ~a\nnonsense\n").unwrap();
    assert!(c.say("ACL LOAD").starts_with("ERR users.acl:2 should start with user keyword"));
    assert_eq!(bob.say("PING"), "PONG");
    std::fs::write(&file, "user bob on nopass +get ~a\n").unwrap();
    assert_eq!(c.say("ACL LOAD"), "OK");
    assert_eq!(bob.say("PING"), "NOPERM User bob has no permissions to run the 'ping' command");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(
        c.say("ACL LOAD"),
        "ERR Error loading ACLs, opening file 'users.acl': No such file or directory"
    );
    drop((c, bob));
    drop(server);

    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(&file, "user eve on +nonsense\n").unwrap();
    let refused =
        run(&["--port", "0", "--unixsocket", "s.sock", "--dir", path(&dir), "--aclfile", "users.acl"]);
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(!refused.status.success());
    assert!(said.contains("Error in applying operation '+nonsense'"), "{said}");
    std::fs::remove_dir_all(&dir).unwrap();
}

/// Ends a server but leaves its directory.
fn stopped(mut server: Server) -> Server {
    assert_eq!(server.stop(), Some(0));
    std::fs::remove_file(server.dir.join("log")).unwrap();
    server
}

#[test]
fn a_new_port_is_listened_on_or_refused() {
    let server = Server::start("port", &["--bind", "127.0.0.1"]);
    let mut c = server.connect();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    assert_eq!(
        c.say(&format!("CONFIG SET port {port}")),
        "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs."
    );
    assert_eq!(c.say("CONFIG GET port"), "port 0");
    drop(taken);
    assert_eq!(c.say(&format!("CONFIG SET port {port}")), "OK");
    let mut tcp = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    tcp.write_all(b"PING\r\n").unwrap();
    let mut reply = [0; 7];
    tcp.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"+PONG\r\n");
    assert!(c.say("INFO server").contains(&format!("tcp_port:{port}\r\n")));
}

#[test]
fn more_clients_than_files_can_be_open_are_refused() {
    let server = Server::start("files", &[]);
    let mut c = server.connect();
    // More than any process may have open.
    let reply = c.say("CONFIG SET maxclients 4294967295");
    let (why, most) = reply.rsplit_once(' ').unwrap();
    assert_eq!(
        why,
        "ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is not able to handle \
         the specified number of clients, try with"
    );
    assert_eq!(c.say("CONFIG GET maxclients"), "maxclients 10000");
    assert_eq!(c.say(&format!("CONFIG SET maxclients {most}")), "OK");
}

/// Whoever has been told that a limit holds may rely on it, on every thread.
#[test]
fn a_limit_holds_for_everybody_as_soon_as_it_is_confirmed() {
    let server = Server::start("limit", &["--io-threads", "2"]);
    let mut c = server.connect();
    for _ in 0..100 {
        c.say("CONFIG SET proto-max-bulk-len 512mb");
        let mut other = server.connect();
        other.say("PING");
        c.say("CONFIG SET proto-max-bulk-len 1mb");
        other.send(b"*2\r\n$4\r\nECHO\r\n$1048577\r\nx");
        assert_eq!(other.rest(), "-ERR Protocol error: invalid bulk length\r\n");
    }
}

#[test]
fn the_process_tells_its_memory() {
    let server = Server::start("facts", &[]);
    let mut c = server.connect();
    let info = c.say("INFO memory");
    for field in ["used_memory", "used_memory_rss", "total_system_memory", "allocator_resident"] {
        let line = info.lines().find_map(|l| l.strip_prefix(&format!("{field}:")));
        assert!(line.unwrap().trim().parse::<u64>().unwrap() > 0, "{field}");
    }
}

/// Waits until another client's view of the server says so.
fn wait_until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_client_that_stops_reading_is_seen_and_closed_though_nothing_happens() {
    let limit = ["--save", "", "--client-output-buffer-limit", "normal", "0", "1mb", "1"];
    let server = Server::start("softlimit", &limit);
    let (mut slow, mut other) = (server.connect(), server.connect());
    slow.call(&[b"SET", b"k", &vec![b'x'; 1 << 20]]);
    slow.send(&b"GET k\r\n".repeat(8));
    wait_until(|| other.say("CLIENT LIST ID 1").contains(" oll=1 omem="));
    wait_until(|| other.say("CLIENT LIST ID 1").is_empty());
    assert!(server.log().contains("overcoming of output buffer limits"));
}

#[test]
fn an_old_replica_gets_its_snapshot_through_a_file_without_a_name() {
    let server = Server::start("sync", &["--save", "", "--repl-diskless-sync-delay", "0"]);
    let mut c = server.connect();
    for i in 0..40 {
        c.call(&[b"SET", format!("k{i}").as_bytes(), &vec![b'x'; 100_000]]);
    }
    let mut replica = server.connect();
    replica.send(b"SYNC\r\n");
    let mut got = Vec::new();
    let mut chunk = vec![0; 1 << 16];
    let body = loop {
        let n = replica.stream.read(&mut chunk).unwrap();
        assert!(n > 0, "closed");
        got.extend_from_slice(&chunk[..n]);
        let start = got.iter().position(|&b| b == b'$');
        let end = start.and_then(|s| Some(s + got[s..].iter().position(|&b| b == b'\r')?));
        if let (Some(start), Some(end)) = (start, end) {
            let len: usize = std::str::from_utf8(&got[start + 1..end]).unwrap().parse().unwrap();
            if got.len() >= end + 2 + len {
                break got[end + 2..][..len].to_vec();
            }
        }
    };
    let mut names: Vec<_> = std::fs::read_dir(&server.dir).unwrap().map(|e| e.unwrap().file_name()).collect();
    // The state file may be on its way into its place.
    names.retain(|name| name.to_string_lossy().ends_with("replica.rdb"));
    assert!(names.is_empty(), "{names:?}");
    // It is a good snapshot: another server starts from it.
    let dir = std::env::temp_dir().join(format!("tanist-server-synced-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("dump.rdb"), body).unwrap();
    let other = Server::start_in(dir, &["--save", ""]);
    assert_eq!(other.connect().call(&[b"DBSIZE"]).as_int(), Some(40));
}

#[test]
fn keys_move_to_who_takes_them_and_stay_otherwise() {
    let server = Server::start("migrate", &["--save", ""]);
    let mut c = server.connect();
    c.call(&[b"SET", b"k", &vec![b'x'; 3 << 20]]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = std::thread::spawn(move || {
        // The first one hangs up, the second one takes everything.
        drop(listener.accept().unwrap());
        let (mut stream, _) = listener.accept().unwrap();
        let mut got = Vec::new();
        let mut chunk = vec![0; 1 << 16];
        while !got.ends_with(b"REPLACE\r\n") {
            let n = stream.read(&mut chunk).unwrap();
            assert!(n > 0);
            got.extend_from_slice(&chunk[..n]);
        }
        stream.write_all(b"+OK\r\n+OK\r\n").unwrap();
        got
    });
    let line = format!("MIGRATE 127.0.0.1 {port} k 7 20000 REPLACE");
    assert!(c.say(&line).starts_with("IOERR error or timeout "));
    assert_eq!(c.call(&[b"STRLEN", b"k"]).as_int(), Some(3 << 20));
    assert_eq!(c.say(&line), "OK");
    assert_eq!(c.call(&[b"EXISTS", b"k"]).as_int(), Some(0));
    let got = target.join().unwrap();
    assert!(
        got.starts_with(b"*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n*5\r\n$7\r\nRESTORE\r\n$1\r\nk\r\n$1\r\n0\r\n")
    );
}

#[test]
fn a_connection_to_a_target_is_used_again_while_it_stands() {
    let server = Server::start("migrate-again", &["--save", ""]);
    let mut c = server.connect();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = std::thread::spawn(move || {
        let take = |stream: &mut std::net::TcpStream, answer: &[u8]| {
            let mut got = Vec::new();
            let mut chunk = vec![0; 1 << 16];
            while !got.ends_with(b"REPLACE\r\n") {
                let n = stream.read(&mut chunk).unwrap();
                assert!(n > 0, "the connection has ended");
                got.extend_from_slice(&chunk[..n]);
            }
            stream.write_all(answer).unwrap();
        };
        let (mut nobody, _) = listener.accept().unwrap();
        take(&mut nobody, b"+OK\r\n+OK\r\n");
        take(&mut nobody, b"+OK\r\n+OK\r\n");
        // Somebody else's rights are not lent.
        let (mut me, _) = listener.accept().unwrap();
        take(&mut me, b"+OK\r\n+OK\r\n+OK\r\n");
        drop(nobody);
        let (mut again, _) = listener.accept().unwrap();
        take(&mut again, b"+OK\r\n+OK\r\n");
    });
    c.say("SET k x");
    let line = format!("MIGRATE 127.0.0.1 {port} k 0 20000 COPY REPLACE");
    for more in ["", "", " AUTH secret", ""] {
        assert_eq!(c.say(&format!("{line}{more}")), "OK", "{more}");
    }
    target.join().unwrap();
}

#[test]
fn data_are_saved_and_loaded_again() {
    let server = Server::start("reload", &["--save", "", "--enable-debug-command", "local"]);
    let mut c = server.connect();
    c.say("SET a 1");
    assert_eq!(c.say("DEBUG RELOAD NOSAVE"), "ERR Error trying to load the RDB dump, check server logs.");
    assert_eq!(c.say("DEBUG RELOAD"), "OK");
    c.say("SET a 2");
    assert_eq!(c.say("DEBUG RELOAD NOSAVE"), "OK");
    assert_eq!(c.say("GET a"), "1", "the file is what it was");
}
