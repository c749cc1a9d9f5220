//! What all collections have in common, and the names of encodings.

/// What `OBJECT ENCODING` answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Encoding {
    /// An integer in the place of a string.
    Int,
    /// A string of at most 44 bytes that was set as a whole.
    Embstr,
    /// Any other string.
    Raw,
    /// Elements one after the other in one allocation.
    Listpack,
    /// A list of listpacks.
    Quicklist,
    /// Sorted integers in one allocation.
    Intset,
    /// A table of elements.
    Hashtable,
    /// Elements in the order of their scores, and a table of them.
    Skiplist,
    /// A tree of listpacks by identifier.
    Stream,
}

impl Encoding {
    /// Redis' name of the encoding.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Encoding::Int => "int",
            Encoding::Embstr => "embstr",
            Encoding::Raw => "raw",
            Encoding::Listpack => "listpack",
            Encoding::Quicklist => "quicklist",
            Encoding::Intset => "intset",
            Encoding::Hashtable => "hashtable",
            Encoding::Skiplist => "skiplist",
            Encoding::Stream => "stream",
        }
    }
}

/// A list, set, hash, sorted set or stream: one word that owns its elements.
pub trait Collection: Default + Clone {
    /// The number of elements.
    fn len(&self) -> usize;

    /// Whether there are none. The keyspace keeps no empty collection but a stream.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the elements are stored.
    fn encoding(&self) -> Encoding;

    /// Bytes taken from the allocator, in constant time.
    fn allocated(&self) -> usize;

    /// How many allocations freeing it returns, about: what takes long is freed on another thread.
    fn effort(&self) -> usize;
}
