//! A sentinel.conf: an error, or a sentinel that starts with it and writes down what can be read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanist_sentinel::core::{Config, Facts, Input, Output, Sentinel};
use tanist_types::{Mono, Now};

fuzz_target!(|data: &str| {
    let Ok(config) = Config::parse(data) else { return };
    let now = Now { mono: Mono::from_millis(1), wall_us: 0 };
    let mut sentinel = Sentinel::new(config, Facts::default(), now, 1);
    let mut outputs = Vec::new();
    sentinel.step(now, Input::Tick, &mut outputs);
    for output in outputs {
        if let Output::Persist { text, .. } = output {
            Config::parse(&text).expect("what was written can be read");
        }
    }
});
