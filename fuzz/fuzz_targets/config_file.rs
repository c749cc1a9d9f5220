//! A configuration file: an error or a configuration, and what was accepted can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanist_config::{Included, Loaded, rewritten};

fuzz_target!(|data: &[u8]| {
    let mut no_includes = |_: &str| -> Result<Vec<Included>, String> { Ok(Vec::new()) };
    let Ok(loaded) = Loaded::read(data, &mut no_includes) else { return };
    let text = rewritten(&loaded.config, data).expect("what was read can be rewritten");
    let again = Loaded::read(&text, &mut no_includes).expect("what was written can be read");
    assert_eq!(again.config, loaded.config);
});
