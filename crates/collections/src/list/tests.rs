//! Lists against a deque of texts, through all encodings.

use super::{End, List, ListNode};
use crate::pack::{Pack, Side};
use crate::policy::Policy;
use crate::seed::Seed;
use crate::word::Kind;
use crate::{Collection, Encoding};
use std::collections::VecDeque;
use tanist_types::Rng;

fn policy(size: i32) -> Policy {
    Policy { list_size: size, ..Policy::new(Seed::new([1, 2])) }
}

fn push(list: &mut List, end: End, element: &[u8], policy: &Policy) {
    list.push(end, std::iter::once(element), policy);
}

fn texts(list: &List) -> Vec<Vec<u8>> {
    list.iter().map(|element| element.as_bytes(&mut itoa::Buffer::new()).to_vec()).collect()
}

/// How long each node is, and how many elements it has.
fn sizes(list: &List) -> Vec<(usize, usize)> {
    let size = |node| match node {
        ListNode::Packed(pack) => (pack.bytes(), pack.len()),
        ListNode::Plain(element) => (element.len(), 1),
    };
    list.nodes().map(size).collect()
}

fn check(list: &List) {
    let nodes: Vec<usize> = sizes(list).into_iter().map(|(bytes, _)| bytes).collect();
    match list.0.get() {
        Kind::Large(large) => {
            large.check();
            assert!(list.allocated() > nodes.iter().sum());
        }
        _ => assert_eq!(list.allocated(), crate::class(nodes[0])),
    }
}

/// An element: short texts that repeat, numbers, and some that are large for one limit or another.
fn element(rng: &mut Rng) -> Vec<u8> {
    match rng.below(40) {
        0 => vec![b'L'; 8_100 + rng.below(200) as usize],
        1 => vec![b'M'; 4_000 + rng.below(200) as usize],
        2..=9 => vec![b'm'; 100 + rng.below(300) as usize],
        10..=20 => rng.below(50).to_string().into_bytes(),
        _ => vec![b'a' + rng.below(6) as u8; 1 + rng.below(3) as usize],
    }
}

/// A list, what it should hold, and where numbers come from.
struct Run {
    list: List,
    model: VecDeque<Vec<u8>>,
    rng: Rng,
    policy: Policy,
}

impl Run {
    fn end(&mut self) -> End {
        if self.rng.below(2) == 0 { End::Front } else { End::Back }
    }

    /// An index that is there more often than not.
    fn index(&mut self) -> i64 {
        let len = self.model.len() as i64;
        self.rng.below(2 * len as u64 + 3) as i64 - len - 1
    }

    fn place(&self, index: i64) -> Option<usize> {
        let place = if index < 0 { index + self.model.len() as i64 } else { index };
        usize::try_from(place).ok().filter(|&place| place < self.model.len())
    }

    fn pop_model(&mut self, end: End) -> Option<Vec<u8>> {
        if end == End::Front { self.model.pop_front() } else { self.model.pop_back() }
    }

    fn step(&mut self, growing: bool) {
        let policy = self.policy;
        match self.rng.below(if growing { 14 } else { 10 }) {
            0 => {
                let (end, index) = (self.end(), self.rng.below(5) as usize);
                let mut popped = Vec::new();
                let count = self.list.pop_many(end, index, &policy, |e| {
                    popped.push(e.as_bytes(&mut itoa::Buffer::new()).to_vec());
                });
                assert_eq!(count, popped.len());
                let expected: Vec<_> = (0..index).map_while(|_| self.pop_model(end)).collect();
                assert_eq!(popped, expected);
            }
            1 if self.rng.below(3) == 0 => {
                let (from, to) = (self.end(), self.end());
                let element = self.pop_model(from);
                assert_eq!(self.list.rotate(from, to, &policy), element);
                match (element, to) {
                    (Some(element), End::Front) => self.model.push_front(element),
                    (Some(element), End::Back) => self.model.push_back(element),
                    (None, _) => {}
                }
            }
            1 | 2 => {
                let end = self.end();
                let mut popped = None;
                self.list.pop(end, &policy, |e| popped = Some(e.as_bytes(&mut itoa::Buffer::new()).to_vec()));
                assert_eq!(popped, self.pop_model(end));
            }
            3 | 4 => {
                let (index, element) = (self.index(), element(&mut self.rng));
                let place = self.place(index);
                assert_eq!(self.list.set(index, &element, &policy), place.is_some());
                if let Some(place) = place {
                    self.model[place] = element;
                }
            }
            5 | 6 => {
                let (pivot, element) = (element(&mut self.rng), element(&mut self.rng));
                let side = if self.rng.below(2) == 0 { Side::Before } else { Side::After };
                let place = self.model.iter().position(|e| *e == pivot);
                assert_eq!(self.list.insert(&pivot, side, &element, &policy), place.is_some());
                if let Some(place) = place {
                    self.model.insert(place + usize::from(side == Side::After), element);
                }
            }
            7 => {
                let (text, count) = (element(&mut self.rng), self.rng.below(7) as i64 - 3);
                let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
                let mut places: Vec<usize> =
                    (0..self.model.len()).filter(|&i| self.model[i] == text).collect();
                let found: Vec<usize> = self.list.positions(&text, false, usize::MAX).collect();
                assert_eq!(found, places);
                let mut found: Vec<usize> = self.list.positions(&text, true, usize::MAX).collect();
                found.reverse();
                assert_eq!(found, places);
                if count < 0 {
                    places.reverse();
                }
                places.truncate(most);
                places.sort_unstable();
                for &place in places.iter().rev() {
                    self.model.remove(place);
                }
                assert_eq!(self.list.remove(&text, count, &policy), places.len());
            }
            8 if self.rng.below(20) == 0 => {
                let len = self.model.len();
                let from = self.rng.below(len as u64 + 2) as usize;
                let to = from + self.rng.below(len as u64 + 2) as usize;
                self.list.keep(from, to, &policy);
                self.model.truncate(to);
                self.model.drain(..from.min(self.model.len()));
            }
            _ => {
                let (end, count) = (self.end(), 1 + self.rng.below(3));
                let elements: Vec<Vec<u8>> = (0..count).map(|_| element(&mut self.rng)).collect();
                self.list.push(end, elements.iter().map(Vec::as_slice), &policy);
                for element in elements {
                    match end {
                        End::Front => self.model.push_front(element),
                        End::Back => self.model.push_back(element),
                    }
                }
            }
        }
    }

    fn compare(&mut self) {
        check(&self.list);
        assert_eq!(texts(&self.list), self.model.make_contiguous());
        let mut backwards: Vec<Vec<u8>> =
            self.list.iter().rev().map(|e| e.as_bytes(&mut itoa::Buffer::new()).to_vec()).collect();
        backwards.reverse();
        assert_eq!(backwards, self.model.make_contiguous());
        let index = self.index();
        let found = self.list.get(index).map(|e| e.as_bytes(&mut itoa::Buffer::new()).to_vec());
        assert_eq!(found.as_ref(), self.place(index).map(|place| &self.model[place]));
        let from = self.rng.below(self.model.len() as u64 + 2) as usize;
        assert_eq!(self.list.iter_from(from).count(), self.model.len().saturating_sub(from));
    }
}

#[test]
fn a_list_is_a_row_of_texts_whatever_is_done_to_it() {
    for (seed, size) in [-1, -2, -3, -5, 1, 2, 3, 16, 500].into_iter().enumerate() {
        let rng = Rng::from_seed(seed as u64);
        let mut run = Run { list: List::default(), model: VecDeque::new(), rng, policy: policy(size) };
        let mut frozen: Vec<(List, VecDeque<Vec<u8>>)> = Vec::new();
        for turn in 0..3000 {
            run.step(turn / 400 % 2 == 0);
            run.compare();
            match run.rng.below(60) {
                0 if frozen.len() < 3 => frozen.push((run.list.freeze(), run.model.clone())),
                1 => _ = frozen.pop(),
                _ => {}
            }
            if turn % 10 == 0 {
                for (list, model) in &mut frozen {
                    assert_eq!(texts(list), model.make_contiguous(), "a frozen list stays what it was");
                }
            }
        }
        let copy = run.list.clone();
        assert_eq!(copy, run.list);
        run.list = copy;
        run.compare();
    }
}

#[test]
fn a_frozen_list_shares_the_nodes_that_have_not_changed_since() {
    let policy = policy(-2);
    let mut list = List::default();
    for n in 0..20_000 {
        push(&mut list, End::Back, format!("element:{n:08}").as_bytes(), &policy);
    }
    let (nodes, before) = (list.nodes().len(), list.allocated());
    let packs = |list: &List| -> Vec<*const u8> {
        let start = |node| match node {
            ListNode::Packed(pack) => pack.as_bytes().as_ptr(),
            ListNode::Plain(element) => element.as_ptr(),
        };
        list.nodes().map(start).collect()
    };
    let frozen = list.freeze();
    assert!(frozen.frozen_bytes() < before / 100);
    assert!(list.allocated() - before <= nodes * 32, "a loan is small");
    assert_eq!(packs(&frozen), packs(&list));
    list.set(10_000, b"another", &policy);
    let shared = packs(&frozen).iter().zip(packs(&list)).filter(|(a, b)| **a == *b).count();
    assert_eq!(shared, nodes - 1);
    drop(frozen);
    let before = packs(&list);
    push(&mut list, End::Back, b"last", &policy);
    assert_eq!(packs(&list)[..nodes - 1], before[..nodes - 1]);
    assert_eq!(packs(&list)[nodes - 1], before[nodes - 1], "nobody else has the node, so it is not copied");
    check(&list);
}

#[test]
fn an_element_of_16_bytes_takes_less_than_19() {
    let mut list = List::default();
    for n in 0..100_000 {
        push(&mut list, End::Back, format!("element:{n:08}").as_bytes(), &policy(-2));
    }
    assert!(list.allocated() < 1_870_000, "{}", list.allocated());
}

#[test]
fn a_list_becomes_one_of_nodes_at_the_limit_and_goes_back_at_half_of_it() {
    let policy = policy(-2);
    let mut list = List::default();
    // 7 bytes of frame and 12 of each element; the test is made with the text's length alone.
    for n in 0..682 {
        push(&mut list, End::Back, &format!("{n:010}x").as_bytes()[..10], &policy);
        assert_eq!(list.encoding(), Encoding::Listpack, "{n}");
    }
    push(&mut list, End::Back, b"0123456789", &policy);
    assert_eq!(list.encoding(), Encoding::Quicklist);
    list.pop(End::Back, &policy, |_| {});
    while list.encoding() == Encoding::Quicklist {
        list.pop(End::Front, &policy, |_| {});
    }
    assert_eq!(list.len(), 340);

    let four = self::policy(4);
    let mut list = List::default();
    list.push(End::Back, [b"a".as_slice(), b"b", b"c", b"d"].into_iter(), &four);
    assert_eq!(list.encoding(), Encoding::Listpack);
    push(&mut list, End::Back, b"e", &four);
    assert_eq!(list.encoding(), Encoding::Quicklist);
    list.remove(b"e", 0, &four);
    list.remove(b"a", 0, &four);
    assert_eq!((list.encoding(), list.len()), (Encoding::Quicklist, 3));
    list.remove(b"b", 0, &four);
    assert_eq!(list.encoding(), Encoding::Listpack);

    // What an element would need counts before it is known that there is no such index.
    assert!(!list.set(9, &[b'x'; 9_000], &four));
    assert_eq!((list.encoding(), list.len()), (Encoding::Quicklist, 2));
    list.pop_many(End::Back, 0, &four, |_| {});
    assert_eq!(list.encoding(), Encoding::Quicklist, "nothing was removed");
    list.pop_many(End::Back, 1, &four, |_| {});
    assert_eq!(list.encoding(), Encoding::Listpack);
}

#[test]
fn a_list_has_the_same_nodes_whichever_end_it_is_pushed_at() {
    let mut rng = Rng::from_seed(11);
    for size in [-1, -2, -5, 3, 500] {
        let policy = policy(size);
        let (mut front, mut back) = (List::default(), List::default());
        for turn in 0..6_000 {
            if turn % 5 == 4 && turn > 3_000 {
                front.pop(End::Front, &policy, |_| {});
                back.pop(End::Back, &policy, |_| {});
            } else {
                let element = element(&mut rng);
                push(&mut front, End::Front, &element, &policy);
                push(&mut back, End::Back, &element, &policy);
            }
            if turn % 50 == 0 {
                check(&front);
                let mut mirrored = sizes(&front);
                mirrored.reverse();
                assert_eq!(mirrored, sizes(&back), "{size}, {turn}");
                assert_eq!(front.encoding(), back.encoding());
            }
        }
        // What is left at the end is in the very same nodes, so the encoding changes back with the same element.
        while back.len() > 1 {
            front.pop(End::Back, &policy, |_| {});
            back.pop(End::Front, &policy, |_| {});
            assert_eq!(front.encoding(), back.encoding(), "{size}, {}", back.len());
        }
    }
}

#[test]
fn parts_of_a_node_are_written_as_one() {
    let policy = policy(-2);
    let mut list = List::default();
    for n in 0..1_200 {
        push(&mut list, End::Front, format!("{n:010}").as_bytes(), &policy);
    }
    let Kind::Large(large) = list.0.get() else { panic!("a list of nodes") };
    assert!(large.row() > large.whole_nodes(), "the first node is made of parts");
    let mut read = List::default();
    for node in list.nodes() {
        let ListNode::Packed(pack) = node else { panic!("no large elements") };
        read.append_pack(pack.into_owned(), &policy);
    }
    assert_eq!((texts(&read), sizes(&read)), (texts(&list), sizes(&list)));
    assert_eq!(sizes(&list), [(518 * 12 + 7, 518), (682 * 12 + 7, 682)]);
    let frozen = list.freeze();
    assert_eq!(sizes(&frozen), sizes(&list));
    check(&list);
}

#[test]
fn elements_that_grow_in_their_places_may_be_more_than_one_pack_can_hold() {
    // Under test a pack holds a MiB.
    let policy = policy(-5);
    let mut list = List::default();
    for _ in 0..40_000 {
        push(&mut list, End::Front, b"abcdef", &policy);
    }
    for index in 0..60 {
        assert!(list.set(index * 50, &[b'x'; 60_000], &policy));
    }
    push(&mut list, End::Front, b"abcdef", &policy);
    list.insert(b"abcdef", Side::Before, b"first", &policy);
    assert_eq!((list.len(), list.freeze().len()), (40_002, 40_002));
    check(&list);
}

#[test]
fn what_a_snapshot_has_keeps_its_nodes() {
    let policy = policy(-2);
    let pack = |n: i64| {
        let mut pack = Pack::new();
        pack.push_back(n).expect("room");
        pack
    };
    let mut list = List::default();
    list.append_pack(pack(1), &policy);
    assert_eq!(list.encoding(), Encoding::Listpack);
    list.append_pack(Pack::new(), &policy);
    list.append_plain(b"large");
    list.append_pack(pack(2), &policy);
    assert_eq!(list.nodes().len(), 3);
    assert_eq!(texts(&list), [b"1".as_slice(), b"large", b"2"]);
    check(&list);
    let mut list = List::default();
    for n in 0..10_000 {
        list.append(n.to_string().as_bytes(), &policy);
    }
    assert_eq!(list.len(), 10_000);
    check(&list);
}
