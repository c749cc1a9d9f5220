//! The memory of a Lua state: counted, and refused beyond a limit wherever that does no harm.
//!
//! To refuse is to have Lua raise its error `not enough memory`, which leaves all frames up to the next protected call. So
//! only Lua itself is refused, never a function of ours: it could be holding something to drop.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

/// What is known of a state's memory.
#[derive(Debug)]
pub(crate) struct Memory {
    used: Cell<usize>,
    limit: Cell<usize>,
    /// A script runs: the limit holds.
    limited: Cell<bool>,
    /// Lua itself runs.
    may_refuse: Cell<bool>,
    /// Something was refused in this run.
    refused: Cell<bool>,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory {
            used: Cell::new(0),
            limit: Cell::new(usize::MAX),
            limited: Cell::new(false),
            may_refuse: Cell::new(false),
            refused: Cell::new(false),
        }
    }
}

impl Memory {
    /// Bytes in use.
    pub(crate) fn used(&self) -> usize {
        self.used.get()
    }

    /// So many bytes may be used while a script runs.
    pub(crate) fn set_limit(&self, bytes: usize) {
        self.limit.set(bytes);
    }

    /// Whether something of so many bytes may be made of the values of a script.
    pub(crate) fn room_for(&self, bytes: usize) -> bool {
        bytes <= self.limit.get()
    }

    /// The most bytes that something made of the values of a script may have.
    pub(crate) fn most(&self) -> usize {
        self.limit.get()
    }

    /// A script begins.
    pub(crate) fn begin(&self) {
        self.limited.set(true);
        self.may_refuse.set(true);
    }

    /// It has ended; whether it was refused something.
    pub(crate) fn end(&self) -> bool {
        self.limited.set(false);
        self.may_refuse.set(false);
        self.refused.take()
    }

    /// Says whether Lua itself runs from here on; what was so before.
    pub(crate) fn let_refuse(&self, yes: bool) -> bool {
        self.may_refuse.replace(yes)
    }

    fn refuses(&self, after: usize) -> bool {
        after > self.limit.get() && self.limited.get() && self.may_refuse.get()
    }
}

/// Lua's allocator: that of the program, with the bytes counted. Where it may not refuse it never lacks memory, but ends
/// the process, as Rust does.
///
/// # Safety
/// What is `behind` the state is a `T`; Lua keeps to its contract, by which `had` is the size of what is at `old`.
pub(crate) unsafe extern "C" fn allocate<T: AsRef<Memory>>(
    behind: *mut c_void,
    old: *mut c_void,
    had: usize,
    wanted: usize,
) -> *mut c_void {
    const ALIGN: usize = 16;
    // SAFETY: by the contract. All sizes are those of real objects, so they make layouts.
    unsafe {
        let memory = (*behind.cast::<T>()).as_ref();
        let had = if old.is_null() { 0 } else { had };
        let before = memory.used.get();
        let after = before + wanted - had;
        if wanted > had && memory.refuses(after) {
            memory.refused.set(true);
            return ptr::null_mut();
        }
        memory.used.set(after);
        if wanted == 0 {
            if had > 0 {
                dealloc(old.cast(), Layout::from_size_align_unchecked(had, ALIGN));
            }
            return ptr::null_mut();
        }
        let layout = Layout::from_size_align_unchecked(wanted, ALIGN);
        let new = if had == 0 {
            alloc(layout)
        } else {
            realloc(old.cast(), Layout::from_size_align_unchecked(had, ALIGN), wanted)
        };
        if new.is_null() {
            if !memory.may_refuse.get() {
                handle_alloc_error(layout);
            }
            memory.used.set(before);
        }
        new.cast()
    }
}
