//! Putting elements into order: by numbers or texts, their own or those that `BY` leads to.

use super::options::Options;
use crate::commands::sorted_set::parse_double;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use std::cmp::Ordering;

/// An element behind what it is sorted by, if that is there.
type Keyed = (Option<Box<[u8]>>, Box<[u8]>);

/// Sorts `elements` as the options say. What is equal otherwise stays as it was.
pub(super) fn sort(ctx: &mut Ctx<'_>, elements: &mut Vec<Box<[u8]>>, o: &Options<'_>) -> Outcome {
    let direction = |order: Ordering| if o.descending { order.reverse() } else { order };
    if o.alpha && o.by.is_none() {
        elements.sort_by(|a, b| direction(a.cmp(b)));
        return Ok(());
    }
    let taken = std::mem::take(elements);
    if o.alpha {
        // An element that leads to nothing comes before all others.
        let mut keyed: Vec<Keyed> =
            taken.into_iter().map(|element| (weight(ctx, &element, o), element)).collect();
        keyed.sort_by(|a, b| direction(a.0.cmp(&b.0)));
        elements.extend(keyed.into_iter().map(|(_, element)| element));
        return Ok(());
    }
    let mut keyed = Vec::with_capacity(taken.len());
    for element in taken {
        keyed.push((number(ctx, &element, o)?, element));
    }
    keyed.sort_by(|a, b| direction(a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1))));
    elements.extend(keyed.into_iter().map(|(_, element)| element));
    Ok(())
}

/// The text that an element is judged by.
fn weight(ctx: &mut Ctx<'_>, element: &[u8], o: &Options<'_>) -> Option<Box<[u8]>> {
    match o.by {
        Some(pattern) => pattern.look_up(ctx, element),
        None => Some(element.into()),
    }
}

/// The number that an element is judged by: zero if it leads to nothing. As in Valkey 9, neither an empty text is one nor
/// one behind blanks.
fn number(ctx: &mut Ctx<'_>, element: &[u8], o: &Options<'_>) -> Result<f64, Error> {
    const NO_NUMBER: Error = Error::fixed("ERR One or more scores can't be converted into double");
    match weight(ctx, element, o) {
        None => Ok(0.0),
        // Adding zero makes the negative zero the other one, which is equal to it.
        Some(text) => parse_double(&text).map(|number| number + 0.0).ok_or(NO_NUMBER),
    }
}
