//! What a user sees, as text: each file in `traces/` is a script with what it shows between its lines.
//!
//! `TANIST_REWRITE_TRACES=1 cargo test -p tanist-sentinel --test traces` writes down what is shown now; the difference
//! is what a reviewer reads.

mod world;

use std::path::PathBuf;

#[test]
fn traces_show_what_they_did() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
    let rewrite = std::env::var_os("TANIST_REWRITE_TRACES").is_some();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&dir)
        .expect("the folder of the traces")
        .map(|entry| entry.expect("a trace").path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    let mut different = Vec::new();
    for path in paths {
        let expected = std::fs::read_to_string(&path).expect("a readable trace");
        let shown = world::run(&expected);
        assert_eq!(shown, world::run(&expected), "{}: the same inputs give the same outputs", path.display());
        if shown == expected {
            continue;
        }
        if rewrite {
            std::fs::write(&path, shown).expect("a writable trace");
        } else {
            different.push(format!("--- {}\n{shown}", path.display()));
        }
    }
    assert!(different.is_empty(), "these show something else now:\n{}", different.join("\n"));
}
