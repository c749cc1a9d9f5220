//! One element of a large collection: a single allocation of exactly a size class.
//!
//! ```text
//! prefix, 8 bytes │ length of the name │ length of the value │ expiry, 8 bytes │ name │ value
//! ```
//! The [`Shape`] tells whether there are a prefix and values. Lengths are little-endian base-128 numbers, one byte for
//! what is short. If there are values, the lowest bit of the name's number says whether the element expires.
//!
//! Invariants, on which the unsafe code relies: the allocation is `class(total)` bytes, aligned to 8, where the total
//! follows from the lengths in it; all bytes up to the total are initialized.
#![allow(unsafe_code)]

use crate::class::class;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::NonNull;
use tanist_types::UnixMs;

/// What the elements of a collection consist of besides their name.
pub(crate) trait Shape: 'static {
    /// Whether eight bytes of fixed size come first (a score), which can be changed in place.
    const PREFIX: bool;
    /// Whether a value follows the name, and an expiry may precede it.
    const VALUE: bool;
}

/// The members of a set.
pub(crate) enum Plain {}

impl Shape for Plain {
    const PREFIX: bool = false;
    const VALUE: bool = false;
}

/// The fields of a hash.
pub(crate) enum Field {}

impl Shape for Field {
    const PREFIX: bool = false;
    const VALUE: bool = true;
}

/// The members of a sorted set, whose scores are their prefix.
pub(crate) enum Scored {}

impl Shape for Scored {
    const PREFIX: bool = true;
    const VALUE: bool = false;
}

/// What an element is made from. What its shape does not have is left out.
#[derive(Clone, Copy, Default)]
pub(crate) struct Parts<'a> {
    pub(crate) prefix: u64,
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) expiry: Option<UnixMs>,
}

/// Everything before the name, for which there is always room in it.
struct Head {
    bytes: [u8; 8 + 10 + 10 + 8],
    len: usize,
}

impl Head {
    #[inline]
    fn of<S: Shape>(parts: &Parts<'_>) -> Head {
        let mut head = Head { bytes: [0; 36], len: 0 };
        if S::PREFIX {
            head.put(&parts.prefix.to_ne_bytes());
        }
        if S::VALUE {
            // A length is less than 2⁶³.
            head.number(parts.name.len() << 1 | usize::from(parts.expiry.is_some()));
            head.number(parts.value.len());
            if let Some(UnixMs(at)) = parts.expiry {
                head.put(&at.to_ne_bytes());
            }
        } else {
            head.number(parts.name.len());
        }
        head
    }

    #[inline]
    fn put(&mut self, bytes: &[u8; 8]) {
        self.bytes[self.len..self.len + 8].copy_from_slice(bytes);
        self.len += 8;
    }

    #[inline]
    fn number(&mut self, mut n: usize) {
        while n >= 0x80 {
            self.bytes[self.len] = n as u8 | 0x80;
            self.len += 1;
            n >>= 7;
        }
        self.bytes[self.len] = n as u8;
        self.len += 1;
    }

    #[inline]
    fn total<S: Shape>(&self, parts: &Parts<'_>) -> usize {
        self.len + parts.name.len() + if S::VALUE { parts.value.len() } else { 0 }
    }
}

/// Where the parts of an element are.
#[derive(Clone, Copy)]
struct Spans {
    name: usize,
    name_len: usize,
    value_len: usize,
    /// Where the expiry is; zero if there is none.
    expiry: usize,
}

impl Spans {
    #[inline]
    fn total(&self) -> usize {
        self.name + self.name_len + self.value_len
    }
}

/// An element, borrowed from the table that owns it.
pub(crate) struct Element<'a, S> {
    ptr: NonNull<u8>,
    lives: PhantomData<(&'a u8, S)>,
}

impl<S> Clone for Element<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Element<'_, S> {}

impl<'a, S: Shape> Element<'a, S> {
    /// The element at an address.
    ///
    /// # Safety
    /// The address is from [`create`] with the same shape, and the element lives unchanged during `'a`.
    #[inline]
    pub(crate) unsafe fn at(address: u64) -> Element<'a, S> {
        Element { ptr: pointer(address), lives: PhantomData }
    }

    #[inline]
    fn byte(&self, at: usize) -> u8 {
        // SAFETY: only called for bytes of the head, which ends where the name begins.
        unsafe { self.ptr.add(at).read() }
    }

    /// The number at `at`, and where it ends.
    #[inline]
    fn number(&self, mut at: usize) -> (usize, usize) {
        let first = self.byte(at);
        if first < 0x80 {
            return (usize::from(first), at + 1);
        }
        let (mut n, mut shift) = (usize::from(first & 0x7f), 7);
        loop {
            at += 1;
            let byte = self.byte(at);
            n |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return (n, at + 1);
            }
            shift += 7;
        }
    }

    #[inline]
    fn spans(&self) -> Spans {
        let (number, at) = self.number(if S::PREFIX { 8 } else { 0 });
        if !S::VALUE {
            return Spans { name: at, name_len: number, value_len: 0, expiry: 0 };
        }
        let (value_len, at) = self.number(at);
        let (expiry, name) = if number & 1 != 0 { (at, at + 8) } else { (0, at) };
        Spans { name, name_len: number >> 1, value_len, expiry }
    }

    #[inline]
    fn slice(&self, at: usize, len: usize) -> &'a [u8] {
        // SAFETY: only called for the name and the value, which the lengths in the head place in the allocation.
        unsafe { std::slice::from_raw_parts(self.ptr.add(at).as_ptr(), len) }
    }

    #[inline]
    pub(crate) fn name(&self) -> &'a [u8] {
        let spans = self.spans();
        self.slice(spans.name, spans.name_len)
    }

    #[inline]
    pub(crate) fn name_is(&self, name: &[u8]) -> bool {
        let spans = self.spans();
        spans.name_len == name.len() && self.slice(spans.name, spans.name_len) == name
    }

    /// The value; empty if the shape has none.
    #[inline]
    pub(crate) fn value(&self) -> &'a [u8] {
        let spans = self.spans();
        self.slice(spans.name + spans.name_len, spans.value_len)
    }

    /// When it expires, if it does.
    #[inline]
    pub(crate) fn expiry(&self) -> Option<UnixMs> {
        let at = self.spans().expiry;
        // SAFETY: where the head says that there is an expiry, there are its eight bytes.
        (at != 0).then(|| UnixMs(unsafe { self.ptr.add(at).cast::<i64>().read_unaligned() }))
    }

    /// The bits of the prefix; zero if the shape has none.
    #[inline]
    pub(crate) fn prefix(&self) -> u64 {
        // SAFETY: a prefix takes the first eight bytes, which are aligned.
        if S::PREFIX { unsafe { self.ptr.cast::<u64>().read() } } else { 0 }
    }

    /// Its address, by which [`Element::at`] finds it as long as it lives.
    #[inline]
    pub(crate) fn address(&self) -> u64 {
        self.ptr.as_ptr().expose_provenance() as u64
    }

    /// What it is made of.
    #[inline]
    pub(crate) fn parts(&self) -> Parts<'a> {
        Parts { prefix: self.prefix(), name: self.name(), value: self.value(), expiry: self.expiry() }
    }

    /// Bytes taken from the allocator.
    #[inline]
    pub(crate) fn allocated(&self) -> usize {
        class(self.spans().total())
    }
}

/// A new element's address and what it takes from the allocator; whoever owns the address calls [`free`].
#[inline]
pub(crate) fn create<S: Shape>(parts: &Parts<'_>) -> (u64, usize) {
    let head = Head::of::<S>(parts);
    let layout = layout(head.total::<S>(parts));
    // SAFETY: a class has at least eight bytes.
    let ptr = NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout));
    // SAFETY: the allocation has room for the parts, and is not among them.
    unsafe { write::<S>(ptr, &head, parts) };
    (ptr.as_ptr().expose_provenance() as u64, layout.size())
}

/// Makes an element one of other parts where it is; false, with nothing done, if that needs another size class.
///
/// # Safety
/// The address is that of a live element of this shape to which there is no reference, also not among the parts.
#[inline]
pub(crate) unsafe fn rewrite<S: Shape>(address: u64, parts: &Parts<'_>) -> bool {
    let head = Head::of::<S>(parts);
    // SAFETY: by the caller's word.
    let held = unsafe { Element::<S>::at(address) }.allocated();
    if class(head.total::<S>(parts)) != held {
        return false;
    }
    // SAFETY: the class stays, so there is room; by the caller's word the parts are elsewhere.
    unsafe { write::<S>(pointer(address), &head, parts) };
    true
}

/// Sets the prefix of an element.
///
/// # Safety
/// As for [`rewrite`]; the shape has a prefix.
#[inline]
pub(crate) unsafe fn set_prefix<S: Shape>(address: u64, prefix: u64) {
    const { assert!(S::PREFIX) };
    // SAFETY: a prefix takes the first eight bytes, which are aligned.
    unsafe { pointer(address).cast::<u64>().write(prefix) };
}

/// Frees an element; what it took from the allocator.
///
/// # Safety
/// The address is that of a live element of this shape, and is not used again.
#[inline]
pub(crate) unsafe fn free<S: Shape>(address: u64) -> usize {
    // SAFETY: by the caller's word.
    let layout = layout(unsafe { Element::<S>::at(address) }.spans().total());
    // SAFETY: by the invariant that is the layout it was allocated with.
    unsafe { dealloc(pointer(address).as_ptr(), layout) };
    layout.size()
}

/// # Safety
/// There is room for the head and the parts from `ptr` on, and none of them is part of it.
#[inline]
unsafe fn write<S: Shape>(ptr: NonNull<u8>, head: &Head, parts: &Parts<'_>) {
    let value = if S::VALUE { parts.value } else { &[] };
    let mut to = ptr.as_ptr();
    for part in [&head.bytes[..head.len], parts.name, value] {
        // SAFETY: by the caller's word.
        unsafe {
            to.copy_from_nonoverlapping(part.as_ptr(), part.len());
            to = to.add(part.len());
        }
    }
}

/// # Panics
/// If there can be no allocation of that size.
#[inline]
fn layout(total: usize) -> Layout {
    Layout::from_size_align(class(total), 8).expect("a length within the address space")
}

#[inline]
fn pointer(address: u64) -> NonNull<u8> {
    let ptr = std::ptr::with_exposed_provenance_mut(address as usize);
    NonNull::new(ptr).unwrap_or_else(|| unreachable!("tables hold no zero address"))
}
