//! The command on real processes, all of them this package's own binary, on loopback ports that are free.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tanist::cluster::ports;

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
fn a_mistaken_option_leaves_nothing_behind() {
    let folder = Folder::new("up-mistake");
    let port = ports::free_block(2).unwrap();
    let (node, sentinel) = (port.to_string(), (port + 1).to_string());
    let up = |more: &[&str]| {
        let shape = ["--nodes", "1", "--sentinels", "1", "--port", &node, "--sentinel-port", &sentinel];
        tanist(&[&["up", "--detach", "--dir", folder.arg()], &shape[..], more].concat())
    };
    let mistakes: [(&[&str], &str); 5] = [
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
    assert!(up(&["--directive", "requirepass 'a \"b'"]).status.success());
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
