//! The patterns of `BY` and `GET`: a key, or a field of a hash (`key->field`), with an element in the place of the star.

use crate::context::Ctx;
use tanist_keyspace::ValueRef;

/// A pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pattern<'b> {
    /// `#`: the element itself.
    Element,
    /// Without a star: leads nowhere.
    Nothing,
    /// What stands before and after the star, and the field of the hash there, if that is meant.
    Key { before: &'b [u8], after: &'b [u8], field: Option<&'b [u8]> },
}

impl<'b> Pattern<'b> {
    pub(super) fn new(text: &'b [u8]) -> Pattern<'b> {
        if text == b"#" {
            return Pattern::Element;
        }
        let Some(star) = memchr::memchr(b'*', text) else { return Pattern::Nothing };
        let (before, rest) = (&text[..star], &text[star + 1..]);
        match memchr::memmem::find(rest, b"->") {
            Some(arrow) if arrow + 2 < rest.len() => {
                Pattern::Key { before, after: &rest[..arrow], field: Some(&rest[arrow + 2..]) }
            }
            _ => Pattern::Key { before, after: rest, field: None },
        }
    }

    /// Whether it has a star.
    pub(super) fn varies(self) -> bool {
        matches!(self, Pattern::Key { .. })
    }

    /// The string that an element leads to.
    pub(super) fn look_up(self, ctx: &mut Ctx<'_>, element: &[u8]) -> Option<Box<[u8]>> {
        let (before, after, field) = match self {
            Pattern::Element => return Some(element.into()),
            Pattern::Nothing => return None,
            Pattern::Key { before, after, field } => (before, after, field),
        };
        let key = [before, element, after].concat();
        let hash = ctx.node.data.hash(&key);
        let (now, mut digits) = (ctx.judged(), itoa::Buffer::new());
        ctx.read(&key, hash, |found, _| match (found?.value(), field) {
            (ValueRef::Str(text), None) => Some(text.as_bytes(&mut digits).into()),
            (ValueRef::Hash(hash), Some(field)) => {
                Some(hash.get(field, now)?.value.as_bytes(&mut digits).into())
            }
            _ => None,
        })
    }
}
