//! The command on real processes, all of them this package's own binary, on loopback ports that are free.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tanist::client::{Client, Value as Reply};
use tanist::cluster::{Identity, Signal, ports};

fn tanist(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tanist")).args(args).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A folder of its own, and a guard that takes the cluster down whatever happens.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Folder(path)
    }

    fn arg(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn up(&self, port: u16) -> Output {
        let (node, sentinel) = (port.to_string(), (port + 3).to_string());
        tanist(&["up", "--detach", "--dir", self.arg(), "--port", &node, "--sentinel-port", &sentinel])
    }

    fn status(&self) -> Value {
        serde_json::from_slice(&tanist(&["status", "--json", "--dir", self.arg()]).stdout).unwrap()
    }
}

/// A `tanist` in the background.
fn started(args: &[&str], stdout: impl Into<Stdio>) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tanist"));
    command.args(args).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap()
}

fn end(child: Child, signal: Signal) -> Output {
    assert!(Identity::of(child.id() as i32).unwrap().signal(signal));
    child.wait_with_output().unwrap()
}

/// Looks until it is so; the caller's runner has the last word on how long.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never: {what}");
}

impl Drop for Folder {
    fn drop(&mut self) {
        tanist(&["down", "--dir", self.arg()]);
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

#[test]
fn a_cluster_comes_up_goes_down_and_comes_up_again() {
    let folder = Folder::new("up-down");
    let port = ports::free_block(6).unwrap();
    let up = folder.up(port);
    assert!(up.status.success(), "{}", text(&up));
    assert!(text(&up).contains(&format!("redis-cli -p {port}")), "{}", text(&up));

    let status = folder.status();
    assert_eq!(status["agree"], true, "{status:#}");
    assert_eq!(status["primary"], format!("127.0.0.1:{port}"));
    assert_eq!(status["nodes"].as_array().unwrap().len(), 3);

    let again = folder.up(port);
    assert!(!again.status.success());
    assert!(text(&again).contains("already up"), "{}", text(&again));

    let other = Folder::new("up-other");
    let refused = other.up(port);
    assert!(text(&refused).contains("in use; nothing was started"), "{}", text(&refused));
    assert!(!other.0.join("node-1").exists());

    assert!(tanist(&["down", "--dir", folder.arg()]).status.success());
    assert_eq!(folder.status()["agree"], false);
    let up = folder.up(port);
    assert!(up.status.success(), "on the same folder again: {}", text(&up));
    assert_eq!(folder.status()["agree"], true);
}

#[test]
fn a_node_that_cannot_save_its_data_is_not_killed_for_it() {
    let folder = Folder::new("down-unsaved");
    let port = ports::free_block(6).unwrap();
    let up = folder.up(port);
    assert!(up.status.success(), "{}", text(&up));
    // A folder in the place of its snapshot stands for a disk that is full.
    let snapshot = folder.0.join("node-1/dump.rdb");
    let _ = std::fs::remove_file(&snapshot);
    std::fs::create_dir_all(snapshot.join("kept")).unwrap();
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    let mut client = Client::connect(address, Duration::from_secs(60)).unwrap();
    assert_eq!(client.call(&["SET", "k", "v"]).unwrap(), Reply::Simple(b"OK".to_vec()));

    let down = tanist(&["down", "--dir", folder.arg()]);
    assert!(!down.status.success(), "{}", text(&down));
    assert!(text(&down).contains("node-1 cannot save its data and goes on"), "{}", text(&down));
    assert_eq!(client.call(&["GET", "k"]).unwrap(), Reply::Bulk(b"v".to_vec()));

    std::fs::remove_dir_all(&snapshot).unwrap();
    assert!(tanist(&["down", "--dir", folder.arg()]).status.success());
    let up = folder.up(port);
    assert!(up.status.success(), "{}", text(&up));
    let mut client = Client::connect(address, Duration::from_secs(60)).unwrap();
    assert_eq!(client.call(&["GET", "k"]).unwrap(), Reply::Bulk(b"v".to_vec()));
}

#[test]
fn a_mistaken_option_leaves_nothing_behind() {
    let folder = Folder::new("up-mistake");
    let port = ports::free_block(2).unwrap();
    let (node, sentinel) = (port.to_string(), (port + 1).to_string());
    let up = |more: &[&str]| {
        let shape = ["--nodes", "1", "--sentinels", "1", "--port", &node, "--sentinel-port", &sentinel];
        tanist(&[&["up", "--detach", "--dir", folder.arg()], &shape[..], more].concat())
    };
    let mistakes: [(&[&str], &str); 6] = [
        (&["--directive", "logfile x.log"], "every member's log is the file 'log'"),
        (&["--directive", "maxmemroy 1gb"], "--directive 'maxmemroy 1gb': Bad directive"),
        (&["--directive", "port 7000"], "choose them with --port and --sentinel-port"),
        (&["--sentinel-directive", "sentinel parallel-syncs other 1"], "No such master"),
        (&["--server-bin", "./nowhere"], "there is no such program"),
        (&["--name", "my group"], "--name 'my group'"),
    ];
    for (options, says) in mistakes {
        let refused = up(options);
        assert!(!refused.status.success() && text(&refused).contains(says), "{}", text(&refused));
        assert!(!folder.0.exists(), "{options:?}");
    }
    let first = up(&["--directive", "requirepass 'a \"b'", "--directive", "appendonly yes"]);
    assert!(first.status.success() && text(&first).contains("'appendonly' is accepted but has no effect"));
    assert!(text(&first).contains("with one node there is nobody to take over"), "{}", text(&first));
    assert_eq!(folder.status()["agree"], true);
    assert!(tanist(&["down", "--dir", folder.arg()]).status.success());
    let conf = folder.0.join("node-1/tanist.conf");
    let before = std::fs::read(&conf).unwrap();
    let refused = up(&["--directive", "maxmemroy 1gb"]);
    assert!(text(&refused).contains("Bad directive"), "{}", text(&refused));
    assert_eq!(std::fs::read(&conf).unwrap(), before);

    // Without the file that says which member is what, a new cluster would make the first node the primary.
    std::fs::remove_file(folder.0.join("cluster.json")).unwrap();
    let refused = up(&[]);
    assert!(text(&refused).contains("is of an earlier cluster"), "{}", text(&refused));
    assert_eq!(std::fs::read(&conf).unwrap(), before);
}

#[test]
fn whoever_listens_may_go_away() {
    let folder = Folder::new("closed-pipe");
    std::fs::create_dir_all(&folder.0).unwrap();
    let file = folder.0.join("redis.conf");
    std::fs::write(&file, "port 7000\n").unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output =
        Command::new(env!("CARGO_BIN_EXE_tanist")).arg("check").arg(&file).stdout(writer).output().unwrap();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
}

#[test]
fn up_goes_on_when_nobody_reads_it() {
    let folder = Folder::new("up-closed-pipe");
    let port = ports::free_block(2).unwrap();
    let (node, sentinel) = (port.to_string(), (port + 1).to_string());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let shape = ["--nodes", "1", "--sentinels", "1", "--port", &node, "--sentinel-port", &sentinel];
    let mut up = started(&[&["up", "--dir", folder.arg()], &shape[..]].concat(), writer);
    until("the cluster is up", || folder.0.join("cluster.json").exists() && folder.status()["agree"] == true);
    assert!(up.try_wait().unwrap().is_none());
    let ended = end(up, Signal::INT);
    assert!(ended.status.success() && ended.stderr.is_empty(), "{}", text(&ended));
    assert_eq!(folder.status()["sentinels"][0]["pid"], Value::Null);

    // Nor does it matter who reads the errors.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let refused = Command::new(env!("CARGO_BIN_EXE_tanist"))
        .args(["up", "--dir", folder.arg(), "--nodes", "2"])
        .stderr(writer)
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", refused.status);
}

#[test]
fn ctrl_c_ends_a_start_that_loads() {
    let folder = Folder::new("up-loading");
    let port = ports::free_block(6).unwrap();
    assert!(folder.up(port).status.success());
    let node = ([127, 0, 0, 1], port).into();
    let mut client = Client::connect(node, Duration::from_secs(60)).unwrap();
    let value = vec![b'v'; 10_000];
    for i in 0..100 {
        let reply = client.call(&[b"SET".as_slice(), format!("key:{i}").as_bytes(), &value]).unwrap();
        assert!(matches!(reply, Reply::Simple(_)), "{reply:?}");
    }
    assert!(matches!(client.call(&["SAVE"]).unwrap(), Reply::Simple(_)));
    assert!(tanist(&["down", "--dir", folder.arg()]).status.success());

    // A second for each key: as good as a data set that takes minutes.
    let slow = ["up", "--dir", folder.arg(), "--directive", "key-load-delay 1000000"];
    let up = started(&slow, Stdio::piped());
    until("it loads", || folder.status()["nodes"][0]["loaded_percent"].as_f64().is_some_and(|p| p > 0.0));
    let status = folder.status();
    assert_eq!(status["nodes"][0]["loading"], true, "{status:#}");
    assert!(status["reason"].as_str().unwrap().contains("loads its data ("), "{status:#}");
    let ended = end(up, Signal::INT);
    assert_eq!(ended.status.code(), Some(2));
    assert!(text(&ended).contains("stopped before the cluster was complete"), "{}", text(&ended));
    let status = folder.status();
    assert!(status["nodes"].as_array().unwrap().iter().all(|n| n["pid"].is_null()), "{status:#}");

    let up = tanist(&["up", "--detach", "--dir", folder.arg(), "--directive", "key-load-delay 0"]);
    assert!(up.status.success(), "{}", text(&up));
    let mut client = Client::connect(node, Duration::from_secs(60)).unwrap();
    assert_eq!(client.call(&["DBSIZE"]).unwrap(), Reply::Int(100));
}

#[test]
fn two_at_once_do_not_lose_each_others_processes() {
    let folder = Folder::new("up-twice");
    let port = ports::free_block(6).unwrap();
    let (node, sentinel) = (port.to_string(), (port + 3).to_string());
    let args = ["up", "--detach", "--dir", folder.arg(), "--port", &node, "--sentinel-port", &sentinel];
    let both = [started(&args, Stdio::piped()), started(&args, Stdio::piped())];
    let ended = both.map(|up| up.wait_with_output().unwrap());
    let says = ended.iter().map(text).collect::<String>();
    assert_eq!(ended.iter().filter(|up| up.status.success()).count(), 1, "{says}");
    let refusals =
        ["another `tanist` command", "already holds a cluster", "is already up", "nothing was started"];
    assert!(refusals.iter().any(|why| says.contains(why)), "{says}");
    assert_eq!(folder.status()["agree"], true);

    // After the loss of all processes it starts as after a stop.
    let members = |kind: &str| folder.status()[kind].as_array().unwrap().clone();
    for member in [members("nodes"), members("sentinels")].concat() {
        let process = Identity::of(member["pid"].as_i64().unwrap() as i32).unwrap();
        assert!(process.signal(Signal::KILL) && process.wait_gone(Duration::from_secs(60)));
    }
    let up = tanist(&["up", "--detach", "--dir", folder.arg()]);
    assert!(up.status.success(), "{}", text(&up));
    assert_eq!(folder.status()["agree"], true);

    // Whoever else has the ports is not taken for it.
    assert!(tanist(&["down", "--dir", folder.arg()]).status.success());
    let other = Folder::new("up-twice-other");
    assert!(other.up(port).status.success());
    let status = folder.status();
    assert!(status["agree"] == false && status["nodes"][0]["answers"] == false, "{status:#}");
}

#[test]
fn a_drill_judges_a_crash() {
    let drill = tanist(&["drill", "crash", "--json", "--rate", "200", "--warm-up", "500"]);
    let report: Value = serde_json::from_slice(&drill.stdout).unwrap_or_else(|_| panic!("{}", text(&drill)));
    assert!(drill.status.success(), "{report:#}");
    let run = &report["runs"][0];
    assert_ne!(run["old_primary"], run["new_primary"], "{report:#}");
    assert!(run["writes"]["confirmed"].as_u64().unwrap() > 0, "{report:#}");
    assert_eq!(run["writes"]["lost_confirmed"], 0);
}

#[test]
fn a_drill_knows_the_passwords_it_is_given() {
    let (node, sentinel) = ("requirepass one", "requirepass two");
    let args = ["drill", "planned", "--json", "--rate", "200", "--warm-up", "500"];
    let drill = tanist(&[&args[..], &["--directive", node, "--sentinel-directive", sentinel]].concat());
    let report: Value = serde_json::from_slice(&drill.stdout).unwrap_or_else(|_| panic!("{}", text(&drill)));
    assert!(drill.status.success(), "{report:#}");
    assert_eq!(report["runs"][0]["writes"]["lost"], 0, "{report:#}");
    assert!(report["runs"][0]["times"]["switch_all_ms"].is_number(), "every sentinel was heard: {report:#}");
}

/// Nobody waits for a node that answers and says no.
#[test]
fn nodes_that_refuse_the_command_end_the_start() {
    let refusals = [("user default off", "NOAUTH"), ("user default on nopass ~* +@all -info", "NOPERM")];
    for (directive, error) in refusals {
        let folder = Folder::new(&format!("up-{}", error.to_lowercase()));
        let port = ports::free_block(6).unwrap();
        let (node, sentinel) = (port.to_string(), (port + 3).to_string());
        let args = ["up", "--detach", "--dir", folder.arg(), "--port", &node, "--sentinel-port", &sentinel];
        let up = tanist(&[&args[..], &["--directive", directive]].concat());
        assert!(!up.status.success(), "{directive}");
        let said = text(&up);
        assert!(said.contains(&format!("node-1 refuses this command: {error}")), "{said}");
        assert!(said.contains("the user 'default'") && !said.contains("gave up"), "{said}");
        assert!(ports::require_free(&[port]).is_ok(), "what was started is ended");
    }
}

#[test]
fn a_new_password_reaches_everybody_and_damage_starts_nothing() {
    let folder = Folder::new("up-password");
    let port = ports::free_block(6).unwrap();
    let (node, sentinel) = (port.to_string(), (port + 3).to_string());
    let up = |more: &[&str]| {
        let args = ["up", "--detach", "--dir", folder.arg(), "--port", &node, "--sentinel-port", &sentinel];
        tanist(&[&args[..], more].concat())
    };
    let down = || assert!(tanist(&["down", "--dir", folder.arg()]).status.success());
    let first = up(&[]);
    assert!(first.status.success(), "{}", text(&first));
    down();
    let second = up(&["--directive", "requirepass secret", "--sentinel-directive", "requirepass other"]);
    assert!(second.status.success(), "{}", text(&second));
    assert_eq!(folder.status()["agree"], true, "status knows it too");
    down();
    let third = up(&["--directive", "requirepass \"\""]);
    assert!(third.status.success(), "{}", text(&third));
    assert_eq!(folder.status()["agree"], true);
    down();
    let conf = folder.0.join("sentinel-2/sentinel.conf");
    let whole = std::fs::read(&conf).unwrap();
    for (cut, says) in [(0, "'port "), (whole.len() - 1, "The file is cut off")] {
        std::fs::write(&conf, &whole[..cut]).unwrap();
        let refused = up(&["--directive", "maxclients 100"]);
        assert!(!refused.status.success());
        assert!(text(&refused).contains(says) && text(&refused).contains("sentinel-2/sentinel.conf"));
        assert_eq!(std::fs::read(&conf).unwrap(), &whole[..cut], "it is left as it is");
        let node = std::fs::read_to_string(folder.0.join("node-1/tanist.conf")).unwrap();
        assert!(!node.contains("maxclients"), "and so are the others");
    }
    std::fs::write(&conf, &whole).unwrap();
    let renamed = up(&["--name", "other"]);
    assert!(text(&renamed).contains("is called tanist"), "{}", text(&renamed));
}

/// What runs now with `word` in its command line.
fn running_with(word: &str) -> Vec<String> {
    let lines = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = lines.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).filter(|l| l.contains(word)).collect()
}

#[test]
fn a_drill_that_is_stopped_leaves_nothing_of_its_own_cluster() {
    let folder = Folder::new("drill-own-stopped");
    std::fs::create_dir_all(&folder.0).unwrap();
    let own = || std::fs::read_dir(&folder.0).unwrap().flatten().next().map(|cluster| cluster.path());
    // In the middle of each of the six starts, whatever the next one would be.
    for started in (0..24).map(|round| round % 6) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tanist"));
        command.args(["drill", "crash"]).env("TMPDIR", &folder.0);
        let drill = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until("members are started", || {
            let file = own().and_then(|cluster| std::fs::read_to_string(cluster.join("cluster.json")).ok());
            file.is_some_and(|text| text.matches("\"pid\"").count() >= started)
        });
        let ended = end(drill, Signal::INT);
        assert_eq!(ended.status.code(), Some(130), "{}", text(&ended));
        assert_eq!(running_with(folder.arg()), Vec::<String>::new(), "after {started}: {}", text(&ended));
        assert_eq!(own(), None, "{}", text(&ended));
    }
}

#[test]
fn a_drill_that_is_stopped_undoes_what_it_did() {
    let folder = Folder::new("drill-stopped");
    let port = ports::free_block(6).unwrap();
    assert!(folder.up(port).status.success());
    let node = ([127, 0, 0, 1], port).into();
    let keys = || Client::connect(node, Duration::from_secs(60)).unwrap().call(&["DBSIZE"]).unwrap();
    assert_eq!(keys(), Reply::Int(0));
    // Nobody takes over before the drill is stopped.
    for sentinel in 1..=3 {
        let addr = ([127, 0, 0, 1], port + 2 + sentinel).into();
        let mut client = Client::connect(addr, Duration::from_secs(60)).unwrap();
        let set = ["SENTINEL", "SET", "tanist", "down-after-milliseconds", "600000"];
        assert!(matches!(client.call(&set).unwrap(), Reply::Simple(_)));
    }
    for warm_up in ["600000", "100"] {
        let hang = ["drill", "hang", "--dir", folder.arg(), "--rate", "100", "--warm-up", warm_up];
        let drill = started(&hang, Stdio::piped());
        until("the drill is under way", || match warm_up {
            // The primary is stopped: that is what would stay.
            "100" => {
                Client::connect(node, Duration::from_millis(300)).and_then(|mut c| c.call(&["PING"])).is_err()
            }
            _ => keys() != Reply::Int(0),
        });
        let second = tanist(&["drill", "planned", "--dir", folder.arg()]);
        assert!(text(&second).contains("another `tanist` command"), "{}", text(&second));
        let ended = end(drill, Signal::INT);
        assert_eq!(ended.status.code(), Some(2), "{}", text(&ended));
        assert!(text(&ended).contains("stopped; the cluster is as it was before"), "{}", text(&ended));
        until("all agree", || folder.status()["agree"] == true);
        assert_eq!(keys(), Reply::Int(0), "{}", text(&ended));
    }
}
