//! The arguments of one command: slices of the buffer they were read into.

use std::ops::Index;

/// Where one argument lies, relative to the beginning of its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

#[derive(Clone, Copy)]
enum Repr<'a, 'b> {
    Spans { spans: &'a [Span], base: &'b [u8] },
    Slices(&'a [&'b [u8]]),
}

/// The arguments of one command, the command's name first. Copies nothing.
#[derive(Clone, Copy)]
pub struct Args<'a, 'b> {
    repr: Repr<'a, 'b>,
    raw: Option<&'b [u8]>,
}

impl<'a, 'b> Args<'a, 'b> {
    /// Arguments that lie in different places.
    #[must_use]
    pub const fn from_slices(slices: &'a [&'b [u8]]) -> Args<'a, 'b> {
        Args { repr: Repr::Slices(slices), raw: None }
    }

    #[inline]
    pub(crate) const fn from_spans(spans: &'a [Span], base: &'b [u8], raw: Option<&'b [u8]>) -> Args<'a, 'b> {
        Args { repr: Repr::Spans { spans, base }, raw }
    }

    /// The number of arguments, with the command's name.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        match self.repr {
            Repr::Spans { spans, .. } => spans.len(),
            Repr::Slices(slices) => slices.len(),
        }
    }

    /// Whether there is no argument at all, not even a name.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Argument `i`, if there is one.
    #[inline]
    #[must_use]
    pub fn get(&self, i: usize) -> Option<&'b [u8]> {
        match self.repr {
            Repr::Spans { spans, base } => {
                let s = spans.get(i)?;
                base.get(s.start as usize..s.start as usize + s.len as usize)
            }
            Repr::Slices(slices) => slices.get(i).copied(),
        }
    }

    /// Argument `i`, living as long as the buffer.
    ///
    /// # Panics
    /// When there is no such argument: the caller has checked the number of arguments.
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn at(&self, i: usize) -> &'b [u8] {
        self.get(i).expect("the command's arity was checked")
    }

    /// All arguments, the name first.
    #[must_use]
    pub fn iter(&self) -> ArgsIter<'a, 'b> {
        ArgsIter { args: *self, next: 0 }
    }

    /// The arguments from number `n` on; none if there are fewer.
    #[must_use]
    pub fn skip(&self, n: usize) -> Args<'a, 'b> {
        let repr = match self.repr {
            Repr::Spans { spans, base } => Repr::Spans { spans: spans.get(n..).unwrap_or_default(), base },
            Repr::Slices(slices) => Repr::Slices(slices.get(n..).unwrap_or_default()),
        };
        Args { repr, raw: if n == 0 { self.raw } else { None } }
    }

    /// The command's exact bytes, when it came as a multibulk: they can be copied to the log as they are.
    #[inline]
    #[must_use]
    pub const fn raw(&self) -> Option<&'b [u8]> {
        self.raw
    }

    /// Appends the command as a multibulk.
    pub fn encode_to(&self, out: &mut Vec<u8>) {
        match self.raw {
            Some(raw) => out.extend_from_slice(raw),
            None => {
                crate::encode::header(out, b'*', self.len() as u64);
                for arg in self.iter() {
                    crate::encode::bulk(out, arg);
                }
            }
        }
    }
}

impl Index<usize> for Args<'_, '_> {
    type Output = [u8];
    #[inline]
    fn index(&self, i: usize) -> &[u8] {
        self.at(i)
    }
}

impl<'a, 'b> IntoIterator for Args<'a, 'b> {
    type Item = &'b [u8];
    type IntoIter = ArgsIter<'a, 'b>;
    fn into_iter(self) -> ArgsIter<'a, 'b> {
        self.iter()
    }
}

impl std::fmt::Debug for Args<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(|a| a.escape_ascii().to_string())).finish()
    }
}

/// Goes through the arguments of a command.
#[derive(Clone, Debug)]
pub struct ArgsIter<'a, 'b> {
    args: Args<'a, 'b>,
    next: usize,
}

impl<'b> Iterator for ArgsIter<'_, 'b> {
    type Item = &'b [u8];
    #[inline]
    fn next(&mut self) -> Option<&'b [u8]> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        Some(arg)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.args.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for ArgsIter<'_, '_> {}

/// A command kept beyond its read buffer (queued by MULTI, waiting for a key): its multibulk form and the
/// places of its arguments.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnedArgs {
    raw: Box<[u8]>,
    spans: Box<[Span]>,
}

impl OwnedArgs {
    /// A copy of `args`.
    #[must_use]
    pub fn new(args: &Args<'_, '_>) -> OwnedArgs {
        let mut raw = Vec::with_capacity(args.iter().map(|a| a.len() + 16).sum::<usize>() + 16);
        let mut spans = Vec::with_capacity(args.len());
        crate::encode::header(&mut raw, b'*', args.len() as u64);
        for arg in args.iter() {
            crate::encode::bulk(&mut raw, arg);
            spans.push(Span { start: (raw.len() - 2 - arg.len()) as u32, len: arg.len() as u32 });
        }
        OwnedArgs { raw: raw.into_boxed_slice(), spans: spans.into_boxed_slice() }
    }

    /// The arguments.
    #[must_use]
    pub fn as_args(&self) -> Args<'_, '_> {
        Args::from_spans(&self.spans, &self.raw, Some(&self.raw))
    }

    /// Bytes of heap memory behind it.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.raw.len() + std::mem::size_of_val(&*self.spans)
    }
}

impl std::fmt::Debug for OwnedArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_args().fmt(f)
    }
}
