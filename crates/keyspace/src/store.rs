//! The entries of one database: the table that owns them, and the index of those with an expiry.
//!
//! Invariants ([`Store::check`]): every address in `main` is that of a live entry that nothing else owns; `volatile`
//! holds exactly those of the entries with an expiry, `fields` those of the hashes with fields that expire;
//! `entry_bytes` is the sum of what the entries take. Entries are borrowed from the store, so they cannot outlive a
//! change of it.
#![allow(unsafe_code)]

use crate::access::Access;
use crate::entry::{Entry, EntryPtr, Form, OwnedEntry};
use std::mem::ManuallyDrop;
use tanist_collections::table::{Found, Table};
use tanist_collections::{KeyHash, Seed};
use tanist_types::{Rng, UnixMs};

/// See the module's comment.
#[derive(Debug)]
pub(crate) struct Store {
    seed: Seed,
    main: Table,
    volatile: Table,
    fields: Table,
    entry_bytes: usize,
}

impl Store {
    /// An empty store whose keys are hashed with `seed`.
    pub(crate) fn new(seed: Seed) -> Store {
        Store { seed, main: Table::new(), volatile: Table::new(), fields: Table::new(), entry_bytes: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.main.len()
    }

    pub(crate) fn volatile_len(&self) -> usize {
        self.volatile.len()
    }

    /// How many hashes have fields that expire.
    pub(crate) fn fields_len(&self) -> usize {
        self.fields.len()
    }

    /// Bytes of entries and tables.
    pub(crate) fn bytes(&self) -> usize {
        self.entry_bytes + self.main.bytes() + self.volatile.bytes() + self.fields.bytes()
    }

    #[inline]
    pub(crate) fn prefetch(&self, h: KeyHash) {
        self.main.prefetch(h.0);
    }

    #[inline]
    pub(crate) fn prefetch_entry(&self, h: KeyHash) {
        self.main.prefetch_entry(h.0);
    }

    /// Where the entry of a key is.
    #[inline]
    pub(crate) fn locate(&self, key: &[u8], h: KeyHash) -> Option<Found> {
        // SAFETY: the entry is only looked at during the call.
        self.main.find(h.0, |address| unsafe { view(address) }.key_is(key))
    }

    #[inline]
    pub(crate) fn find(&self, key: &[u8], h: KeyHash) -> Option<Entry<'_>> {
        let found = self.locate(key, h)?;
        // SAFETY: the address comes from the table; the borrow of `self` keeps the entry unchanged.
        Some(unsafe { view(found.address) })
    }

    /// The entry at a place found since the last change.
    #[inline]
    pub(crate) fn at(&self, h: KeyHash, found: Found) -> Entry<'_> {
        debug_assert!(self.main.find(h.0, |address| address == found.address).is_some());
        // SAFETY: the caller found the address in this store and has not changed it since.
        unsafe { view(found.address) }
    }

    /// Adds an entry whose key is not there.
    #[inline]
    pub(crate) fn insert(&mut self, h: KeyHash, entry: OwnedEntry) {
        let volatile = entry.entry().expiry().is_some();
        let fields = entry.entry().has_expiring_fields();
        self.entry_bytes += entry.entry().allocated();
        let address = entry.into_ptr().addr();
        let seed = self.seed;
        self.main.insert(h.0, address, &|address| hash_of(seed, address));
        if volatile {
            self.volatile.insert(h.0, address, &|address| hash_of(seed, address));
        }
        self.index_fields(h, address, false, fields);
    }

    /// Brings the index of hashes with fields that expire up to date for an entry at this address.
    #[inline]
    fn index_fields(&mut self, h: KeyHash, address: u64, had: bool, has: bool) {
        if had == has {
            return;
        }
        let seed = self.seed;
        if has {
            self.fields.insert(h.0, address, &|address| hash_of(seed, address));
        } else if let Some(indexed) = self.fields.find(h.0, |other| other == address) {
            self.fields.remove(h.0, indexed);
        }
    }

    /// Removes the entry at a place found since the last change.
    pub(crate) fn remove(&mut self, h: KeyHash, found: Found) -> OwnedEntry {
        // SAFETY: the table gives the address up below, so that the entry has one owner again.
        let entry = unsafe { owned(found.address) };
        if entry.entry().expiry().is_some() {
            self.forget_expiry(h, found.address);
        }
        self.index_fields(h, found.address, entry.entry().has_expiring_fields(), false);
        self.main.remove(h.0, found);
        self.entry_bytes -= entry.entry().allocated();
        entry
    }

    /// Puts another entry of the same key into a place found since the last change.
    #[inline]
    pub(crate) fn replace(&mut self, h: KeyHash, found: Found, entry: OwnedEntry) -> OwnedEntry {
        // SAFETY: the table gives the address up below.
        let old = unsafe { owned(found.address) };
        self.entry_bytes += entry.entry().allocated();
        self.entry_bytes -= old.entry().allocated();
        let volatile = entry.entry().expiry().is_some();
        let fields = entry.entry().has_expiring_fields();
        let address = entry.into_ptr().addr();
        self.index_fields(h, found.address, old.entry().has_expiring_fields(), false);
        self.main.replace(h.0, found, address);
        self.index_fields(h, address, false, fields);
        match (old.entry().expiry().is_some(), volatile) {
            (false, false) => {}
            (false, true) => self.note_expiry(h, address),
            (true, false) => self.forget_expiry(h, found.address),
            (true, true) => {
                if let Some(indexed) = self.volatile.find(h.0, |address| address == found.address) {
                    self.volatile.replace(h.0, indexed, address);
                }
            }
        }
        old
    }

    /// Gives the entry at a place found since the last change a new value and expiry; returns the old entry unless the
    /// new value fits it.
    #[inline]
    pub(crate) fn overwrite(
        &mut self,
        h: KeyHash,
        found: Found,
        form: Form<'_>,
        expiry: Option<UnixMs>,
        access: Access,
    ) -> Option<OwnedEntry> {
        let entry = self.at(h, found);
        let had = entry.expiry().is_some();
        // An entry that is overwritten in place keeps its class; only a long string's own allocation differs.
        let before = entry.outside();
        match self.change(found, |entry| entry.overwrite(form, expiry, access)) {
            Err(form) => {
                let new = OwnedEntry::new(self.at(h, found).key(), form, expiry, access);
                Some(self.replace(h, found, new))
            }
            Ok(()) => {
                self.entry_bytes += self.at(h, found).outside();
                self.entry_bytes -= before;
                self.index_expiry(h, found.address, had, expiry.is_some());
                None
            }
        }
    }

    /// [`OwnedEntry::overwrite_int`] at a place found since the last change: nothing else changes with it.
    #[inline]
    pub(crate) fn overwrite_int(&mut self, found: Found, n: i64, access: Access) -> bool {
        self.change(found, |entry| entry.overwrite_int(n, access))
    }

    /// Brings the index up to date for an entry that stays where it is.
    #[inline]
    fn index_expiry(&mut self, h: KeyHash, address: u64, had: bool, has: bool) {
        match (had, has) {
            (false, true) => self.note_expiry(h, address),
            (true, false) => self.forget_expiry(h, address),
            _ => {}
        }
    }

    /// Sets or removes the expiry of the entry at a place found since the last change.
    pub(crate) fn set_expiry(&mut self, h: KeyHash, found: Found, expiry: Option<UnixMs>) {
        let had = self.at(h, found).expiry().is_some();
        if !self.change(found, |entry| entry.overwrite_expiry(expiry)) {
            let new = self.edit(h, found, |entry| entry.succeed(expiry));
            drop(self.replace(h, found, new));
            return;
        }
        self.index_expiry(h, found.address, had, expiry.is_some());
    }

    /// Changes the entry at a place found since the last change, where it is; its expiry and its own allocation stay
    /// (a long string may move). What the entry takes is accounted for afterwards.
    pub(crate) fn edit<R>(&mut self, h: KeyHash, found: Found, edit: impl FnOnce(&mut OwnedEntry) -> R) -> R {
        let old = self.at(h, found);
        let had = old.has_expiring_fields();
        self.entry_bytes -= old.allocated();
        let result = self.change(found, edit);
        let new = self.at(h, found);
        let has = new.has_expiring_fields();
        self.entry_bytes += new.allocated();
        self.index_fields(h, found.address, had, has);
        result
    }

    #[inline]
    fn change<R>(&mut self, found: Found, change: impl FnOnce(&mut OwnedEntry) -> R) -> R {
        let Some(ptr) = EntryPtr::from_addr(found.address) else {
            unreachable!("tables hold no zero address")
        };
        // SAFETY: the address was found in this store since its last change, and `self` is borrowed uniquely.
        let mut entry: ManuallyDrop<OwnedEntry> = unsafe { ptr.borrow_mut() };
        change(&mut entry)
    }

    fn note_expiry(&mut self, h: KeyHash, address: u64) {
        let seed = self.seed;
        self.volatile.insert(h.0, address, &|address| hash_of(seed, address));
    }

    fn forget_expiry(&mut self, h: KeyHash, address: u64) {
        if let Some(indexed) = self.volatile.find(h.0, |other| other == address) {
            self.volatile.remove(h.0, indexed);
        }
    }

    /// Visits the entries of one home bucket from position `from` on; returns the next position, `None` at the end.
    pub(crate) fn visit(&self, from: u64, see: &mut dyn FnMut(Entry<'_>)) -> Option<u64> {
        self.walk(&self.main, from, see)
    }

    /// The same for the entries with an expiry.
    pub(crate) fn visit_volatile(&self, from: u64, see: &mut dyn FnMut(Entry<'_>)) -> Option<u64> {
        self.walk(&self.volatile, from, see)
    }

    /// The same for the hashes with fields that expire.
    pub(crate) fn visit_fields(&self, from: u64, see: &mut dyn FnMut(Entry<'_>)) -> Option<u64> {
        self.walk(&self.fields, from, see)
    }

    fn walk(&self, table: &Table, from: u64, see: &mut dyn FnMut(Entry<'_>)) -> Option<u64> {
        let seed = self.seed;
        // SAFETY: the addresses are those of live entries, and `self` stays borrowed during the call.
        table.visit(from, &|address| hash_of(seed, address), &mut |address| see(unsafe { view(address) }))
    }

    /// Calls `see` with every entry.
    pub(crate) fn for_each(&self, see: &mut dyn FnMut(Entry<'_>)) {
        // SAFETY: as in `walk`.
        self.main.for_each(&mut |address| see(unsafe { view(address) }));
    }

    pub(crate) fn random(&self, rng: &mut Rng) -> Option<Entry<'_>> {
        // SAFETY: as in `walk`, with the borrow of the result.
        self.main.random(rng).map(|address| unsafe { view(address) })
    }

    pub(crate) fn random_volatile(&self, rng: &mut Rng) -> Option<Entry<'_>> {
        // SAFETY: as in `random`.
        self.volatile.random(rng).map(|address| unsafe { view(address) })
    }

    /// The hash of an entry's key.
    #[inline]
    pub(crate) fn hash(&self, entry: Entry<'_>) -> KeyHash {
        self.seed.hash(entry.key())
    }

    /// Panics unless the invariants hold.
    pub(crate) fn check(&self) {
        let seed = self.seed;
        let hash = |address| hash_of(seed, address);
        self.main.check(&hash);
        self.volatile.check(&hash);
        self.fields.check(&hash);
        let (mut bytes, mut volatile, mut fields) = (0, 0, 0);
        self.main.for_each(&mut |address| {
            // SAFETY: as in `walk`.
            let entry = unsafe { view(address) };
            bytes += entry.allocated();
            let h = self.hash(entry);
            assert!(
                self.find(entry.key(), h).is_some_and(|same| same.ptr() == entry.ptr()),
                "keys are unique"
            );
            let indexed = self.volatile.find(h.0, |other| other == address).is_some();
            assert_eq!(indexed, entry.expiry().is_some(), "the index holds what expires");
            volatile += usize::from(indexed);
            let indexed = self.fields.find(h.0, |other| other == address).is_some();
            assert_eq!(indexed, entry.has_expiring_fields(), "the index holds hashes whose fields expire");
            fields += usize::from(indexed);
        });
        assert_eq!(volatile, self.volatile.len());
        assert_eq!(fields, self.fields.len());
        assert_eq!(bytes, self.entry_bytes, "the memory of entries is accounted for");
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: the store owns the entries, each address is there once, and nothing is looked at afterwards.
        self.main.for_each(&mut |address| drop(unsafe { owned(address) }));
    }
}

// SAFETY: the tables' addresses are those of entries that the store owns, and `OwnedEntry` is `Send`.
unsafe impl Send for Store {}
// SAFETY: shared access only reads the tables and hands out `Entry`, whose shared access is sound.
unsafe impl Sync for Store {}

/// # Safety
/// The address is that of an entry that lives unchanged during `'a`.
#[inline]
unsafe fn view<'a>(address: u64) -> Entry<'a> {
    let Some(ptr) = EntryPtr::from_addr(address) else { unreachable!("tables hold no zero address") };
    // SAFETY: by the caller's word.
    unsafe { ptr.view() }
}

/// # Safety
/// The address is that of a live entry, and is not used again.
unsafe fn owned(address: u64) -> OwnedEntry {
    let Some(ptr) = EntryPtr::from_addr(address) else { unreachable!("tables hold no zero address") };
    // SAFETY: by the caller's word.
    unsafe { ptr.into_owned() }
}

#[inline]
fn hash_of(seed: Seed, address: u64) -> u64 {
    // SAFETY: called back by a table of a store about one of its entries, which is not changed meanwhile.
    seed.hash(unsafe { view(address) }.key()).0
}
