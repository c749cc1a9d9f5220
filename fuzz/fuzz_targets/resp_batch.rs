//! Commands as a hostile client may send them: the same bytes in one piece and in two give the same commands.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanist_resp::{Batch, Limits};

fn commands(buf: &[u8], split: usize) -> (Vec<Vec<Vec<u8>>>, bool) {
    let mut batch = Batch::new();
    let limits = Limits::default();
    let mut all = Vec::new();
    let mut start = 0;
    let mut failed = false;
    'pieces: for end in [split, buf.len()] {
        loop {
            batch.clear();
            match batch.parse(&buf[start..end], &limits, 7) {
                Ok(progress) => {
                    for i in 0..batch.len() {
                        all.push(batch.args(i, &buf[start..end]).iter().map(<[u8]>::to_vec).collect());
                    }
                    start += progress.consumed;
                    if progress.consumed == 0 {
                        break;
                    }
                }
                Err(_) => {
                    failed = true;
                    break 'pieces;
                }
            }
        }
    }
    (all, failed)
}

fuzz_target!(|data: &[u8]| {
    let Some((&at, bytes)) = data.split_first() else { return };
    let split = usize::from(at) * bytes.len() / 255;
    let (whole, whole_failed) = commands(bytes, bytes.len());
    let (parts, parts_failed) = commands(bytes, split);
    assert_eq!((whole, whole_failed), (parts, parts_failed));
});
