//! A `RESTORE` payload from a hostile client. The checksum is made right, or the fuzzer would never get past it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanist_rdb::{Crc64, restore};

fuzz_target!(|data: &[u8]| {
    let mut scratch = Vec::new();
    let _ = restore(data, 1 << 20, &mut scratch);
    let mut payload = data.to_vec();
    payload.extend_from_slice(&10u16.to_le_bytes());
    let crc = Crc64::of(&payload);
    payload.extend_from_slice(&crc.to_le_bytes());
    let _ = restore(&payload, 1 << 20, &mut scratch);
});
