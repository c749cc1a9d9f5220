//! Compact encodings under an allocator that keeps account: every block is given back in the layout it was asked for
//! in, and nothing is written behind its end.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use tanist_collections::{IntSet, Pack, Side};

/// Puts the size before each block and a pattern behind it.
struct Guarded;

const GUARD: usize = 256;
const PATTERN: u8 = 0xa5;
static WRONG_LAYOUTS: AtomicUsize = AtomicUsize::new(0);
static OVERRUNS: AtomicUsize = AtomicUsize::new(0);

fn padded(layout: Layout) -> Layout {
    assert!(layout.align() <= GUARD);
    Layout::from_size_align(layout.size() + 2 * GUARD, GUARD).expect("a little more than what was asked for")
}

// SAFETY: blocks are parts of the system's, between guards, and are aligned to more than what is asked for.
unsafe impl GlobalAlloc for Guarded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the padded layout has room for the guards and the block.
        unsafe {
            let block = System.alloc(padded(layout));
            if block.is_null() {
                return block;
            }
            block.cast::<usize>().write(layout.size());
            block.add(GUARD + layout.size()).write_bytes(PATTERN, GUARD);
            block.add(GUARD)
        }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the block is one of `alloc`'s, so the guards are there; it is given back as it was taken.
        unsafe {
            let block = ptr.sub(GUARD);
            let size = block.cast::<usize>().read();
            WRONG_LAYOUTS.fetch_add(usize::from(size != layout.size()), Ordering::Relaxed);
            let behind = std::slice::from_raw_parts(ptr.add(size), GUARD);
            OVERRUNS.fetch_add(usize::from(behind.iter().any(|&byte| byte != PATTERN)), Ordering::Relaxed);
            System.dealloc(block, padded(Layout::from_size_align_unchecked(size, layout.align())));
        }
    }
}

#[global_allocator]
static GUARDED: Guarded = Guarded;

fn assert_sound() {
    let (layouts, overruns) = (WRONG_LAYOUTS.load(Ordering::Relaxed), OVERRUNS.load(Ordering::Relaxed));
    assert_eq!((layouts, overruns), (0, 0), "wrong layouts, overruns");
}

#[test]
fn packs_stay_within_their_size_class() {
    for len in 0..200 {
        let text = vec![b'x'; len];
        let mut pack = Pack::new();
        for n in 0..40 {
            pack.push_back(&text).unwrap();
            pack.push_front(n).unwrap();
            let middle = pack.seek(n as isize).unwrap();
            pack.insert_pair(middle, Side::After, &text, n * 1_000).unwrap();
            drop(pack.clone());
        }
        let mut tail = pack.split_at(pack.seek(60).unwrap());
        tail.append(&pack).unwrap();
        while let Some(first) = tail.first() {
            tail.replace(first, -1).unwrap();
            tail.remove(first);
            if let Some(last) = pack.last() {
                pack.remove(last);
            }
        }
        assert_eq!((tail.bytes(), tail.allocated()), (7, 8));
    }
    assert_sound();
}

#[test]
fn intsets_stay_within_their_size_class() {
    for shift in [0, 12, 40] {
        let mut set = IntSet::new();
        for n in 0..500 {
            set.insert((n * 7 % 500) << shift);
            set.insert(-n);
        }
        drop(set.clone());
        for n in -499..500i64 {
            set.remove(n);
            set.remove(n << shift);
        }
        assert_eq!((set.len(), set.allocated()), (0, 8));
    }
    assert_sound();
}
