//! A `RESTORE` payload from a hostile client. The checksum is made right, or the fuzzer would never get past it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanist_rdb::{Crc64, Payload};

fuzz_target!(|data: &[u8]| {
    read(data);
    let mut payload = data.to_vec();
    payload.extend_from_slice(&10u16.to_le_bytes());
    let crc = Crc64::of(&payload);
    payload.extend_from_slice(&crc.to_le_bytes());
    read(&payload);
});

/// All parts, or the error that ends them.
fn read(payload: &[u8]) {
    if let Ok(mut payload) = Payload::open(payload, 1 << 20) {
        while let Ok(Some(_)) = payload.next_part() {}
    }
}
