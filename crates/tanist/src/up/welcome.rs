//! How to reach the cluster that just came up.

use crate::cluster::Layout;

/// Lines for a person, ready to be copied.
pub(super) fn text(layout: &Layout, detached: bool) -> String {
    let name = &layout.name;
    let node = layout.nodes().next().map_or(0, |n| n.port);
    let sentinel = layout.sentinels().next().map_or(0, |s| s.port);
    let sentinels: Vec<String> = layout.sentinels().map(|s| format!("(\"127.0.0.1\", {})", s.port)).collect();
    let (cli_auth, py_auth) = match layout.password {
        Some(_) => (" -a <password>", ", password=\"<password>\""),
        None => ("", ""),
    };
    let (sentinel_cli_auth, sentinel_py_auth) = match layout.sentinel_password {
        Some(_) => (" -a <password>", ", sentinel_kwargs={\"password\": \"<password>\"}"),
        None => ("", ""),
    };
    let dir = for_shell(&layout.dir.to_string_lossy());
    // As it was called: from a fresh build it is in no search path.
    let me = for_shell(&std::env::args().next().unwrap_or_else(|| "tanist".to_owned()));
    let stop = if detached {
        format!("{me} status --dir {dir}\n{me} down --dir {dir}")
    } else {
        "Ctrl-C stops the cluster; its data stay.".to_owned()
    };
    format!(
        r#"
a node:         redis-cli -p {node}{cli_auth}
the sentinels:  redis-cli -p {sentinel}{sentinel_cli_auth} sentinel get-master-addr-by-name {name}
a client:       from redis.sentinel import Sentinel
                s = Sentinel([{}]{sentinel_py_auth})
                s.master_for("{name}"{py_auth}).set("key", "value")
a drill:        {me} drill crash --dir {dir}

{stop}

"#,
        sentinels.join(", ")
    )
}

/// The word as a shell reads it.
fn for_shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%,".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// What this cluster cannot survive, if that is more than meets the eye.
pub(super) fn warning(layout: &Layout) -> Option<String> {
    let sentinels = layout.sentinels().count();
    if layout.nodes().count() < 2 {
        return Some("note: with one node there is nobody to take over when it is lost".to_owned());
    }
    (sentinels < 3)
        .then(|| format!("note: with {sentinels} of them no sentinel may be lost: failovers need a majority"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_what_is_meant() {
        assert_eq!(for_shell("/srv/clé_1.d"), "/srv/clé_1.d");
        assert_eq!(for_shell("/srv/my cluster"), "'/srv/my cluster'");
        assert_eq!(for_shell("it's $5"), r"'it'\''s $5'");
    }
}
