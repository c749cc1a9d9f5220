//! The cache of scripts: what `EVAL` has compiled and `EVALSHA` finds again.
//!
//! Scripts of `SCRIPT LOAD` stay until `SCRIPT FLUSH`. Of those that only came with `EVAL`, the least recently used
//! ones go when there are more than [`MOST_EVALED`], as in Valkey, so that clients that paste values into their scripts
//! do not fill the memory.

use crate::engine::{Engine, Kept, Purpose, Versions};
use crate::flags::{self, Flags};
use crate::sha1;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use std::hash::BuildHasher;

/// The most scripts that are kept although they only came with `EVAL`.
const MOST_EVALED: usize = 500;

/// A script, ready to run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its name.
    pub sha: [u8; 20],
    /// The compiled code.
    pub function: Kept,
    /// What it says about itself; `None` if it has no line that says it.
    pub flags: Option<Flags>,
}

#[derive(Debug)]
struct Script {
    found: Found,
    body: Box<[u8]>,
    /// Came with `EVAL` only: linked into the order of use.
    evaled: bool,
    newer: Option<usize>,
    older: Option<usize>,
}

/// All scripts and the state that they run in.
#[derive(Debug)]
pub struct Scripts {
    engine: Option<Box<Engine>>,
    /// The state is away, since something runs in it.
    lent: bool,
    versions: Versions,
    slots: Vec<Option<Script>>,
    free: Vec<usize>,
    by_sha: HashMap<[u8; 20], usize>,
    by_body: HashTable<usize>,
    hasher: DefaultHashBuilder,
    newest: Option<usize>,
    oldest: Option<usize>,
    evaled: usize,
    bytes: usize,
    evicted: u64,
}

impl Scripts {
    /// No scripts.
    #[must_use]
    pub fn new(versions: Versions) -> Scripts {
        Scripts {
            engine: None,
            lent: false,
            versions,
            slots: Vec::new(),
            free: Vec::new(),
            by_sha: HashMap::new(),
            by_body: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            newest: None,
            oldest: None,
            evaled: 0,
            bytes: 0,
            evicted: 0,
        }
    }

    /// The state, made when it is needed first.
    ///
    /// # Errors
    /// With a reply's text, when the system grants no memory.
    pub fn engine(&mut self) -> Result<&mut Engine, String> {
        if self.engine.is_none() && !self.lent {
            let engine = Engine::new(Purpose::Scripts, self.versions);
            self.engine =
                Some(Box::new(engine.map_err(|error| format!("ERR No memory for scripts: {error}"))?));
        }
        self.engine.as_deref_mut().ok_or_else(|| "ERR a script is running".into())
    }

    /// The script of this name, which is being used.
    pub fn find(&mut self, sha: &[u8; 20]) -> Option<Found> {
        let slot = *self.by_sha.get(sha)?;
        self.used(slot)
    }

    /// The script with this text, which is being used; compiled if it is new. `evaled` tells that it came with `EVAL`.
    ///
    /// # Errors
    /// With a reply's text.
    pub fn load(&mut self, body: &[u8], evaled: bool) -> Result<Found, String> {
        let hash = self.hasher.hash_one(body);
        let slots = &self.slots;
        let has = |slot: &usize| slots[*slot].as_ref().is_some_and(|s| *s.body == *body);
        if let Some(&slot) = self.by_body.find(hash, has) {
            if !evaled {
                self.unlink(slot);
            }
            return self.used(slot).ok_or_else(|| "ERR script is gone".into());
        }
        self.compile(body, hash, evaled)
    }

    fn compile(&mut self, body: &[u8], hash: u64, evaled: bool) -> Result<Found, String> {
        let flags = flags::of_script(body)?;
        let code = match flags {
            Some(_) => body.iter().position(|&b| b == b'\n').map_or(body, |end| &body[end..]),
            None => body,
        };
        let function = self.engine()?.compile(code).map_err(|message| {
            format!("ERR Error compiling script (new function): {}", String::from_utf8_lossy(&message))
        })?;
        let found = Found { sha: sha1::digest(body), function, flags };
        if evaled && self.evaled >= MOST_EVALED {
            self.evict();
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.bytes += body.len() + size_of::<Script>();
        self.slots[slot] = Some(Script { found, body: body.into(), evaled: false, newer: None, older: None });
        self.by_sha.insert(found.sha, slot);
        let (slots, hasher) = (&self.slots, &self.hasher);
        let rehash = |slot: &usize| slots[*slot].as_ref().map_or(0, |s| hasher.hash_one(&*s.body));
        self.by_body.insert_unique(hash, slot, rehash);
        if evaled {
            self.link(slot);
        }
        Ok(found)
    }

    /// Notes a use.
    fn used(&mut self, slot: usize) -> Option<Found> {
        let script = self.slots[slot].as_ref()?;
        let found = script.found;
        if script.evaled && self.newest != Some(slot) {
            self.unlink(slot);
            self.link(slot);
        }
        Some(found)
    }

    /// Makes a script the most recently used one of those that may go.
    fn link(&mut self, slot: usize) {
        let older = self.newest.replace(slot);
        if let Some(script) = &mut self.slots[slot] {
            (script.evaled, script.newer, script.older) = (true, None, older);
        }
        match older {
            Some(older) => self.set_newer(older, Some(slot)),
            None => self.oldest = Some(slot),
        }
        self.evaled += 1;
    }

    /// Takes a script out of the order of use.
    fn unlink(&mut self, slot: usize) {
        let Some(script) = self.slots[slot].as_mut().filter(|s| s.evaled) else { return };
        script.evaled = false;
        let (newer, older) = (script.newer.take(), script.older.take());
        match newer {
            Some(newer) => {
                if let Some(script) = &mut self.slots[newer] {
                    script.older = older;
                }
            }
            None => self.newest = older,
        }
        match older {
            Some(older) => self.set_newer(older, newer),
            None => self.oldest = newer,
        }
        self.evaled -= 1;
    }

    fn set_newer(&mut self, slot: usize, newer: Option<usize>) {
        if let Some(script) = &mut self.slots[slot] {
            script.newer = newer;
        }
    }

    /// Drops the least recently used script of those that may go.
    fn evict(&mut self) {
        let Some(slot) = self.oldest else { return };
        self.unlink(slot);
        let Some(script) = self.slots[slot].take() else { return };
        self.free.push(slot);
        self.by_sha.remove(&script.found.sha);
        let hash = self.hasher.hash_one(&*script.body);
        if let Ok(entry) = self.by_body.find_entry(hash, |&other| other == slot) {
            entry.remove();
        }
        self.bytes -= script.body.len() + size_of::<Script>();
        self.evicted += 1;
        if let Some(engine) = &mut self.engine {
            engine.forget(script.found.function);
        }
    }

    /// The text of a script.
    #[must_use]
    pub fn body(&self, sha: &[u8; 20]) -> Option<&[u8]> {
        self.slots[*self.by_sha.get(sha)?].as_ref().map(|script| &*script.body)
    }

    /// What the script of this name says about itself, which is no use of it.
    #[must_use]
    pub fn flags(&self, sha: &[u8; 20]) -> Option<Flags> {
        self.slots[*self.by_sha.get(sha)?].as_ref().and_then(|script| script.found.flags)
    }

    /// Forgets all scripts, and their state with all that they have left in it.
    pub fn flush(&mut self) {
        *self = Scripts { evicted: self.evicted, ..Scripts::new(self.versions) };
    }

    /// The number of scripts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_sha.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_sha.is_empty()
    }

    /// Bytes of the state, and of the scripts beside it.
    #[must_use]
    pub fn memory(&self) -> (usize, usize) {
        (self.engine.as_ref().map_or(0, |engine| engine.memory()), self.bytes)
    }

    /// How many scripts have had to go.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Counts evicted scripts from zero.
    pub fn reset_evicted(&mut self) {
        self.evicted = 0;
    }

    /// Takes the state away for as long as a script runs in it.
    pub fn take_engine(&mut self) -> Option<Box<Engine>> {
        self.lent = self.engine.is_some();
        self.engine.take()
    }

    /// Gives it back. If all was flushed meanwhile, it goes with what was.
    pub fn return_engine(&mut self, engine: Box<Engine>) {
        if std::mem::take(&mut self.lent) {
            self.engine = Some(engine);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::VERSIONS;

    #[test]
    fn a_script_is_compiled_once_and_found_by_name_and_text() {
        let mut scripts = Scripts::new(VERSIONS);
        let found = scripts.load(b"return 1", true).expect("good");
        assert_eq!(scripts.load(b"return 1", true), Ok(found));
        assert_eq!(scripts.find(&found.sha), Some(found));
        assert_eq!(scripts.body(&found.sha), Some(b"return 1".as_slice()));
        assert_eq!(&sha1::hex(&found.sha), b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
        scripts.flush();
        assert!(scripts.find(&found.sha).is_none() && scripts.is_empty());
    }

    #[test]
    fn a_state_that_is_away_is_not_made_anew_and_goes_with_what_is_flushed() {
        let mut scripts = Scripts::new(VERSIONS);
        scripts.load(b"return 1", true).expect("good");
        let engine = scripts.take_engine().expect("a state");
        assert!(scripts.load(b"return 2", true).is_err());
        assert!(scripts.load(b"return 1", true).is_ok(), "which is compiled");
        scripts.flush();
        let fresh = scripts.load(b"return 3", true).expect("in a new state");
        scripts.return_engine(engine);
        assert_eq!(scripts.load(b"return 3", true), Ok(fresh));
        assert!(scripts.take_engine().is_some());
    }

    #[test]
    fn only_scripts_of_eval_are_evicted_and_the_least_recently_used_ones_first() {
        let mut scripts = Scripts::new(VERSIONS);
        let loaded = scripts.load(b"return 'loaded'", false).expect("good");
        let both = scripts.load(b"return 'both'", true).expect("good");
        scripts.load(b"return 'both'", false).expect("good");
        let first = scripts.load(b"return 'first'", true).expect("good");
        let second = scripts.load(b"return 'second'", true).expect("good");
        for i in 2..MOST_EVALED {
            scripts.load(format!("return {i}").as_bytes(), true).expect("good");
        }
        assert_eq!((scripts.evicted(), scripts.len()), (0, MOST_EVALED + 2));
        assert!(scripts.find(&first.sha).is_some(), "and is the most recently used one now");
        scripts.load(b"return 'more'", true).expect("good");
        assert_eq!(scripts.evicted(), 1);
        assert!(scripts.find(&second.sha).is_none());
        for found in [loaded, both, first] {
            assert!(scripts.find(&found.sha).is_some());
        }
    }
}
