//! The order against a sorted vector.

use super::*;
use crate::ahead::Sought;
use proptest::prelude::*;

/// The place of an item, by score and then by address.
struct At(Item);

impl Search for At {
    fn position(&mut self, scores: &[f64], members: &[u64], inclusive: bool) -> usize {
        let (at, all) = ((self.0.score, self.0.member), scores.iter().copied().zip(members.iter().copied()));
        all.take_while(|item| *item < at || inclusive && *item == at).count()
    }
}

fn insert(order: &mut Order, model: &mut Vec<Item>, score: f64, member: u64) {
    let item = Item { score, member };
    order.insert(item, At(item));
    let at = model.partition_point(|other| (other.score, other.member) < (score, member));
    model.insert(at, item);
}

fn agree(order: &Order, model: &[Item]) {
    order.check();
    let mut all = Vec::new();
    order.walk(0, false, |item| {
        all.push(item);
        true
    });
    assert_eq!(all, model);
}

#[test]
fn items_that_come_in_order_fill_leaves() {
    let mut order = Order::new();
    let mut model = Vec::new();
    for n in 0..2000 {
        insert(&mut order, &mut model, n as f64, n);
    }
    agree(&order, &model);
    assert!(order.bytes() < 2000 * 40, "{}", order.bytes());
}

/// It shows in benchmarks only; here, that scores anywhere, and more of them than descend together, do no harm.
#[test]
fn any_scores_can_be_fetched() {
    let mut order = Order::new();
    let mut model = Vec::new();
    for n in 0..500 {
        let scores = [f64::NEG_INFINITY, f64::INFINITY, -1.0, n as f64, 0.0];
        let sought = scores.map(|score| Sought { score, is_new: score < 50.0 });
        order.fetch(&sought.repeat(12));
        insert(&mut order, &mut model, (n * 7919 % 97) as f64, n);
    }
    agree(&order, &model);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn it_agrees_with_a_sorted_vector(
        steps in prop::collection::vec((any::<bool>(), 0u8..40, any::<u16>()), 1..1500),
        shrink in any::<bool>(),
    ) {
        let (mut order, mut model) = (Order::new(), Vec::new());
        for (n, (add, score, at)) in steps.iter().enumerate() {
            let rank = usize::from(*at);
            if *add || model.is_empty() || (n < steps.len() / 2 && shrink) {
                insert(&mut order, &mut model, f64::from(*score), n as u64);
            } else {
                let rank = rank % model.len();
                let wanted = model.remove(rank);
                let gone = if *score % 2 == 0 { order.take(At(wanted)) } else { order.remove(rank) };
                prop_assert_eq!(gone, wanted);
            }
            prop_assert_eq!(order.len(), model.len());
            if n % 16 == 0 {
                order.check();
            }
        }
        agree(&order, &model);
        for rank in 0..model.len() {
            let item = model[rank];
            let before = |other: &Item| (other.score, other.member) < (item.score, item.member);
            prop_assert_eq!(order.partition(before), rank);
            let mut back = Vec::new();
            order.walk(rank, true, |item| {
                back.push(item);
                back.len() < 50
            });
            let wanted: Vec<Item> = model[..=rank].iter().rev().take(50).copied().collect();
            prop_assert_eq!(back, wanted);
        }
        while !model.is_empty() {
            let rank = model.len() / 3;
            prop_assert_eq!(order.remove(rank), model.remove(rank));
            order.check();
        }
        prop_assert_eq!(order.len(), 0);
    }
}
