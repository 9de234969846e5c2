//! The table against a list of what is waited for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Wake;

use proptest::prelude::*;

use super::*;

/// Counts how often it was woken.
#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Insert,
    Remove(usize),
    /// Which source, and whether it counts.
    Wait(usize, bool),
    /// Which of those that are waited for the host calls ready, and whether the clock is polled, too.
    Poll(Vec<usize>, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Insert),
        1 => any::<usize>().prop_map(Step::Remove),
        4 => (any::<usize>(), any::<bool>()).prop_map(|(which, counts)| Step::Wait(which, counts)),
        2 => (prop::collection::vec(any::<usize>(), 1..6), any::<bool>())
            .prop_map(|(ready, clock)| Step::Poll(ready, clock)),
    ]
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Model {
    Idle,
    Waiting { counts: bool },
    Ready,
}

/// A source as the test knows it.
struct Known {
    key: Key,
    handle: u32,
    state: Model,
    woken: Arc<Count>,
    wakes: u32,
}

const CLOCK: u32 = u32::MAX;

fn check(steps: Vec<Step>) {
    let mut table = Table::new();
    let mut known: Vec<Known> = Vec::new();
    let mut next_handle = 1;
    for step in steps {
        match step {
            Step::Insert => {
                known.push(Known {
                    key: table.insert(next_handle),
                    handle: next_handle,
                    state: Model::Idle,
                    woken: Arc::default(),
                    wakes: 0,
                });
                next_handle += 1;
            }
            Step::Remove(which) if !known.is_empty() => {
                let gone = known.swap_remove(which % known.len());
                let waker = table.remove(gone.key);
                assert_eq!(waker.is_some(), matches!(gone.state, Model::Waiting { .. }));
            }
            Step::Wait(which, counts) if !known.is_empty() => {
                let index = which % known.len();
                let source = &mut known[index];
                let waker = Waker::from(Arc::clone(&source.woken));
                let (polled, before) = table.poll_ready(source.key, &waker, counts);
                // The same task waits each time, so its waker is never replaced.
                assert!(before.is_none());
                assert_eq!(polled.is_ready(), source.state == Model::Ready);
                source.state = match source.state {
                    Model::Ready => Model::Idle,
                    _ => Model::Waiting { counts },
                };
            }
            Step::Poll(ready, clock) => poll_once(&mut table, &mut known, &ready, clock),
            Step::Remove(_) | Step::Wait(..) => {}
        }
        let waiting = known.iter().filter(|one| matches!(one.state, Model::Waiting { .. }));
        assert_eq!(table.armed(), waiting.count());
        let counted = known.iter().filter(|one| one.state == Model::Waiting { counts: true });
        assert_eq!(table.counted(), counted.count());
    }
}

fn poll_once(table: &mut Table, known: &mut [Known], ready: &[usize], clock: bool) {
    let waiting: BTreeMap<u32, usize> = known
        .iter()
        .enumerate()
        .filter(|(_, one)| matches!(one.state, Model::Waiting { .. }))
        .map(|(index, one)| (one.handle, index))
        .collect();
    let mut said: BTreeSet<u32> = BTreeSet::new();
    let mut wakers = Vec::new();
    let count = table.poll(
        clock.then_some(CLOCK),
        |handles| {
            let expected: BTreeSet<u32> =
                waiting.keys().copied().chain(clock.then_some(CLOCK)).collect();
            assert_eq!(handles.iter().copied().collect::<BTreeSet<_>>(), expected);
            assert_eq!(handles.len(), expected.len(), "a handle is there twice");
            let mut indices: Vec<u32> = Vec::new();
            for which in ready.iter().filter(|_| !handles.is_empty()) {
                let index = which % handles.len();
                if said.insert(handles[index]) {
                    indices.push(index as u32);
                }
            }
            indices
        },
        &mut wakers,
    );
    assert_eq!(count as usize, said.len());
    wakers.into_iter().for_each(Waker::wake);
    for (handle, index) in waiting {
        let source = &mut known[index];
        if said.contains(&handle) {
            source.state = Model::Ready;
            source.wakes += 1;
        }
    }
    for source in known {
        assert_eq!(source.woken.0.load(Ordering::Relaxed), source.wakes);
    }
}

proptest! {
    #[test]
    fn it_does_what_a_list_does(steps in prop::collection::vec(step(), 0..400)) {
        check(steps);
    }
}

#[test]
fn wakers_come_in_the_order_in_which_the_host_names_the_sources() {
    let mut table = Table::new();
    let keys: Vec<Key> = (10..14).map(|handle| table.insert(handle)).collect();
    for key in &keys {
        let (polled, _) = table.poll_ready(*key, Waker::noop(), true);
        assert!(polled.is_pending());
    }
    let mut wakers = Vec::new();
    assert_eq!(table.poll(None, |_| vec![2, 0, 3], &mut wakers), 3);
    assert_eq!((wakers.len(), table.armed(), table.counted()), (3, 1, 1));
    // The one that is left is polled alone, at its new place.
    assert_eq!(
        table.poll(
            Some(99),
            |handles| (handles == [11, 99]).then_some(1).into_iter().collect(),
            &mut wakers
        ),
        1
    );
    assert_eq!(wakers.len(), 3, "the clock wakes nobody");
}

#[test]
fn another_task_that_waits_gets_the_place_of_the_one_before() {
    let mut table = Table::new();
    let key = table.insert(7);
    let (first, second) = (Arc::<Count>::default(), Arc::<Count>::default());
    let _ = table.poll_ready(key, &Waker::from(first.clone()), true);
    let (_, before) = table.poll_ready(key, &Waker::from(second.clone()), false);
    assert!(before.is_some());
    assert_eq!((table.armed(), table.counted()), (1, 0));
    let mut wakers = Vec::new();
    table.poll(None, |_| vec![0], &mut wakers);
    wakers.into_iter().for_each(Waker::wake);
    assert_eq!((first.0.load(Ordering::Relaxed), second.0.load(Ordering::Relaxed)), (0, 1));
}
