//! One word that owns one of three things, told apart by its low bits: what a collection is in its entry.
//!
//! The first kind's own word is stored as it is (its low bits are zero), so that a reference to it is a reference to the
//! word; the second is a box; the third is handed out through a guard.
#![allow(unsafe_code)]

use crate::intset::IntSet;
use crate::pack::Pack;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// A type that is just an owning pointer.
///
/// # Safety
/// The type is `repr(transparent)` over `NonNull<u8>`, that pointer is aligned to four bytes at least, and the type may
/// be moved between and shared by threads.
pub(crate) unsafe trait Thin {}

// SAFETY: transparent over a blob, which is transparent over a pointer aligned to 8; plain memory that the holder owns.
unsafe impl Thin for Pack {}
// SAFETY: as above.
unsafe impl Thin for IntSet {}

/// No third kind.
pub(crate) enum Never {}

// SAFETY: there is no value of it.
unsafe impl Thin for Never {}

const TAGS: usize = 3;
const BOXED: usize = 1;
const THIRD: usize = 2;

/// See the module's comment.
pub(crate) struct Word<A: Thin, T, C: Thin = Never> {
    tagged: NonNull<u8>,
    owns: PhantomData<(A, Box<T>, C)>,
}

/// What a word owns.
pub(crate) enum Kind<A, B, C> {
    /// The compact form.
    Compact(A),
    /// The large form, in a box.
    Large(B),
    /// Another compact form.
    Other(C),
}

/// Gives access to the third kind.
pub(crate) struct Guard<'a, C> {
    value: ManuallyDrop<C>,
    lives: PhantomData<&'a C>,
}

impl<C> Deref for Guard<'_, C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.value
    }
}

/// Gives access to the third kind for changes, and puts it back afterwards.
pub(crate) struct GuardMut<'a, C: Thin> {
    value: ManuallyDrop<C>,
    word: &'a mut NonNull<u8>,
}

impl<C: Thin> Deref for GuardMut<'_, C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.value
    }
}

impl<C: Thin> DerefMut for GuardMut<'_, C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.value
    }
}

impl<C: Thin> Drop for GuardMut<'_, C> {
    fn drop(&mut self) {
        // SAFETY: `C` is a pointer by the word of `Thin`; the copy left in `value` is not used again.
        let ptr: NonNull<u8> = unsafe { std::mem::transmute_copy(&self.value) };
        *self.word = tag(ptr, THIRD);
    }
}

fn tag(ptr: NonNull<u8>, tag: usize) -> NonNull<u8> {
    ptr.map_addr(|addr| addr | tag)
}

impl<A: Thin, T, C: Thin> Word<A, T, C> {
    /// A word that owns the first kind.
    pub(crate) fn compact(value: A) -> Self {
        let value = ManuallyDrop::new(value);
        // SAFETY: `A` is a pointer by the word of `Thin`, and the original is not used again.
        Word { tagged: unsafe { std::mem::transmute_copy(&value) }, owns: PhantomData }
    }

    /// A word that owns the second kind.
    pub(crate) fn large(value: Box<T>) -> Self {
        const { assert!(align_of::<T>() > TAGS) };
        let ptr = NonNull::from(Box::leak(value)).cast();
        Word { tagged: tag(ptr, BOXED), owns: PhantomData }
    }

    /// A word that owns the third kind.
    pub(crate) fn other(value: C) -> Self {
        let value = ManuallyDrop::new(value);
        // SAFETY: as in `compact`.
        let ptr: NonNull<u8> = unsafe { std::mem::transmute_copy(&value) };
        Word { tagged: tag(ptr, THIRD), owns: PhantomData }
    }

    #[inline]
    fn tag(&self) -> usize {
        self.tagged.addr().get() & TAGS
    }

    #[inline]
    fn ptr(&self, tag: usize) -> NonNull<u8> {
        // SAFETY: a pointer minus the tag that was added to it.
        unsafe { self.tagged.byte_sub(tag) }
    }

    /// What it owns.
    #[inline]
    pub(crate) fn get(&self) -> Kind<&A, &T, Guard<'_, C>> {
        match self.tag() {
            // SAFETY: without a tag the word is an `A`, which has the same layout.
            0 => Kind::Compact(unsafe { NonNull::from(&self.tagged).cast::<A>().as_ref() }),
            // SAFETY: the pointer of a box that the word owns; it is borrowed as long as the word.
            BOXED => Kind::Large(unsafe { self.ptr(BOXED).cast::<T>().as_ref() }),
            // SAFETY: the pointer is a `C`; the copy is never dropped, and lives no longer than the word is borrowed.
            _ => Kind::Other(Guard {
                value: ManuallyDrop::new(unsafe { std::mem::transmute_copy(&self.ptr(THIRD)) }),
                lives: PhantomData,
            }),
        }
    }

    /// What it owns, to change.
    #[inline]
    pub(crate) fn get_mut(&mut self) -> Kind<&mut A, &mut T, GuardMut<'_, C>> {
        match self.tag() {
            // SAFETY: as in `get`, borrowed uniquely.
            0 => Kind::Compact(unsafe { NonNull::from(&mut self.tagged).cast::<A>().as_mut() }),
            // SAFETY: as in `get`, borrowed uniquely.
            BOXED => Kind::Large(unsafe { self.ptr(BOXED).cast::<T>().as_mut() }),
            // SAFETY: as in `get`; the guard puts the pointer back when it is dropped.
            _ => Kind::Other(GuardMut {
                value: ManuallyDrop::new(unsafe { std::mem::transmute_copy(&self.ptr(THIRD)) }),
                word: &mut self.tagged,
            }),
        }
    }

    /// The second kind, if it is that.
    #[inline]
    pub(crate) fn large_ref(&self) -> Option<&T> {
        // SAFETY: as in `get`.
        (self.tag() == BOXED).then(|| unsafe { self.ptr(BOXED).cast::<T>().as_ref() })
    }

    /// The second kind, to change, if that is what it owns.
    #[inline]
    pub(crate) fn large_mut(&mut self) -> Option<&mut T> {
        // SAFETY: as in `get_mut`.
        (self.tag() == BOXED).then(|| unsafe { self.ptr(BOXED).cast::<T>().as_mut() })
    }

    /// Takes it apart.
    pub(crate) fn into_kind(self) -> Kind<A, Box<T>, C> {
        let word = ManuallyDrop::new(self);
        match word.tag() {
            // SAFETY: the word, which is not used again, owned an `A`.
            0 => Kind::Compact(unsafe { std::mem::transmute_copy(&word.tagged) }),
            // SAFETY: as above; the pointer came out of a box.
            BOXED => Kind::Large(unsafe { Box::from_raw(word.ptr(BOXED).cast::<T>().as_ptr()) }),
            // SAFETY: as above.
            _ => Kind::Other(unsafe { std::mem::transmute_copy(&word.ptr(THIRD)) }),
        }
    }
}

impl<A: Thin, T, C: Thin> Drop for Word<A, T, C> {
    fn drop(&mut self) {
        let word = Word::<A, T, C> { tagged: self.tagged, owns: PhantomData };
        // The copy owns what this one did, and takes itself apart without coming here again.
        drop(word.into_kind());
    }
}

impl<A: Thin + Clone, T: Clone, C: Thin + Clone> Clone for Word<A, T, C> {
    fn clone(&self) -> Self {
        match self.get() {
            Kind::Compact(value) => Word::compact(value.clone()),
            Kind::Large(value) => Word::large(Box::new(value.clone())),
            Kind::Other(value) => Word::other(value.clone()),
        }
    }
}

impl<A: Thin + fmt::Debug, T: fmt::Debug, C: Thin + fmt::Debug> fmt::Debug for Word<A, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.get() {
            Kind::Compact(value) => value.fmt(f),
            Kind::Large(value) => value.fmt(f),
            Kind::Other(value) => value.fmt(f),
        }
    }
}

impl fmt::Debug for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl Clone for Never {
    fn clone(&self) -> Self {
        match *self {}
    }
}

// SAFETY: the word owns what its parameters say, and hands it out by Rust's rules; `Thin` types are `Send`.
unsafe impl<A: Thin, T: Send, C: Thin> Send for Word<A, T, C> {}
// SAFETY: as above; `Thin` types are `Sync`.
unsafe impl<A: Thin, T: Sync, C: Thin> Sync for Word<A, T, C> {}

const _: () = assert!(size_of::<Option<Word<Never, u64>>>() == 8);

#[cfg(test)]
mod tests {
    use super::*;

    type Any = Word<Pack, Vec<String>, IntSet>;

    fn all() -> [Any; 3] {
        let mut ints = IntSet::new();
        ints.insert(7);
        let mut pack = Pack::new();
        pack.push_back(b"seven".as_slice()).expect("room");
        [Word::compact(pack), Word::large(Box::new(vec!["seven".into()])), Word::other(ints)]
    }

    fn text(word: &Any) -> String {
        match word.get() {
            Kind::Compact(pack) => format!("compact {:?}", pack.iter().collect::<Vec<_>>()),
            Kind::Large(list) => format!("large {list:?}"),
            Kind::Other(ints) => format!("other {:?}", ints.iter().collect::<Vec<_>>()),
        }
    }

    #[test]
    fn a_word_knows_what_it_owns_and_a_copy_is_its_own() {
        let words = all();
        let copies = words.clone();
        let texts: Vec<String> = words.iter().map(text).collect();
        drop(words);
        assert_eq!(copies.iter().map(text).collect::<Vec<_>>(), texts);
        assert!(
            texts[0].starts_with("compact") && texts[1] == "large [\"seven\"]" && texts[2] == "other [7]"
        );
    }

    #[test]
    fn changes_stay_even_if_the_owned_moves() {
        for mut word in all() {
            for n in 0..2000i64 {
                match word.get_mut() {
                    Kind::Compact(pack) => pack.push_back_int(n).expect("room"),
                    Kind::Large(list) => list.push(n.to_string()),
                    Kind::Other(mut ints) => assert_eq!(ints.insert(n * 1_000_003), n * 1_000_003 != 7),
                }
            }
            let len = match word.into_kind() {
                Kind::Compact(pack) => pack.len(),
                Kind::Large(list) => list.len(),
                Kind::Other(ints) => ints.len(),
            };
            assert_eq!(len, 2001);
        }
    }
}
