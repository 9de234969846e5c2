//! Task-locals: where a value is seen and where it is not.
#![cfg(feature = "std")]

#[path = "support/locals.rs"]
mod locals;
mod support;

use std::cell::Cell;
use std::error::Error;
use std::future::{Future, pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::thread;

use kippu_executor::{AccessError, Scope, task_local};
use locals::{NUMBER, SeenInDrop, alternate, number, poll};
use support::{Log, Slot, joined, run, silent_executor, yield_now};

task_local! {
    pub(crate) static NAME: String;
    static COUNTER: Cell<u32>;
}

#[test]
fn a_value_is_seen_in_each_poll_and_not_between_them() {
    let executor = silent_executor();
    let slot = Slot::new();
    let kept = slot.clone();
    let mut polls = 0;
    let task = executor.spawn(NUMBER.scope(
        4,
        poll_fn(move |cx| {
            assert_eq!(number(), Some(4));
            polls += 1;
            if polls == 3 { Poll::Ready(polls) } else { kept.keep(cx) }
        }),
    ));
    for _ in 0..2 {
        run(&executor);
        assert_eq!(number(), None);
        slot.wake();
    }
    run(&executor);
    assert_eq!(joined(task).unwrap(), 3);
}

#[test]
fn interleaved_tasks_see_each_their_own() {
    let executor = silent_executor();
    let tasks: Vec<_> = (0..5)
        .map(|own| {
            executor.spawn(NUMBER.scope(own, async move {
                for _ in 0..4 {
                    assert_eq!(number(), Some(own));
                    yield_now().await;
                }
            }))
        })
        .collect();
    let none = executor.spawn(async {
        for _ in 0..4 {
            assert_eq!(number(), None);
            yield_now().await;
        }
    });
    run(&executor);
    tasks.into_iter().chain([none]).for_each(|task| joined(task).unwrap());
}

#[test]
fn keys_do_not_know_of_one_another() {
    let seen = NUMBER.sync_scope(1, || {
        let before = NAME.try_with(String::len).is_err();
        NAME.sync_scope("inner".into(), || (before, number(), NAME.get()))
    });
    assert_eq!(seen, (true, Some(1), "inner".to_owned()));
}

#[test]
fn nested_scopes_show_the_innermost_value_and_restore_the_outer() {
    let executor = silent_executor();
    let task = executor.spawn(NUMBER.scope(1, async {
        let mut seen = vec![number()];
        let inner = NUMBER.scope(2, async {
            let here = number();
            yield_now().await;
            let inmost = NUMBER.sync_scope(3, number);
            [here, inmost, number()]
        });
        seen.extend(inner.await);
        seen.push(number());
        seen
    }));
    run(&executor);
    assert_eq!(joined(task).unwrap(), [1, 2, 3, 2, 1].map(Some));
}

#[test]
fn an_inner_scope_that_waits_hides_nothing_from_the_outer_one() {
    let mut inner = Box::pin(NUMBER.scope(
        2,
        poll_fn(|_| -> Poll<()> {
            assert_eq!(number(), Some(2));
            Poll::Pending
        }),
    ));
    let mut outer = Box::pin(NUMBER.scope(
        1,
        poll_fn(move |_| {
            assert!(poll(inner.as_mut()).is_pending());
            Poll::Ready(number())
        }),
    ));
    assert_eq!(poll(outer.as_mut()), Poll::Ready(Some(1)));
}

#[test]
fn what_a_task_changes_in_its_value_is_kept_between_its_polls() {
    let executor = silent_executor();
    let task = executor.spawn(COUNTER.scope(Cell::new(10), async {
        for _ in 0..5 {
            COUNTER.with(|counter| counter.set(counter.get() + 1));
            yield_now().await;
        }
        COUNTER.with(Cell::get)
    }));
    run(&executor);
    assert_eq!(joined(task).unwrap(), 15);
}

#[test]
fn spawned_tasks_inherit_nothing() {
    let executor = Rc::new(silent_executor());
    let weak = Rc::downgrade(&executor);
    let log = Log::new();
    let inner = log.clone();
    let parent = executor.spawn(NUMBER.scope(1, async move {
        let executor = weak.upgrade().unwrap();
        let spawned = executor.spawn(async { number() });
        // These two are polled, and the first is dropped, inside the parent's poll.
        let guard = SeenInDrop(inner.clone());
        let polled = executor.spawn_polled(Default::default(), async move {
            let _guard = guard;
            number()
        });
        let scoped = executor.spawn_polled(Default::default(), NUMBER.scope(2, async { number() }));
        inner.add(format!("parent sees {:?}", number()));
        (spawned.await.unwrap(), polled.await.unwrap(), scoped.await.unwrap())
    }));
    run(&executor);
    assert_eq!(joined(parent).unwrap(), (None, None, Some(2)));
    log.expect(&["drop sees None", "parent sees Some(1)"]);
}

#[test]
fn tasks_do_not_see_the_values_of_whoever_turns_their_executor() {
    let (outer, inner) = (silent_executor(), silent_executor());
    let task = inner.spawn(async { number() });
    let turns = outer.spawn(NUMBER.scope(1, async move {
        run(&inner);
        let polled = inner.spawn_polled(Default::default(), async { number() });
        (number(), joined(polled).unwrap())
    }));
    NUMBER.sync_scope(3, || run(&outer));
    assert_eq!(joined(turns).unwrap(), (Some(1), None));
    assert_eq!(joined(task).unwrap(), None);
}

#[test]
fn readers_may_be_nested_and_may_enter_scopes() {
    let seen = NAME.sync_scope("outer".into(), || {
        NAME.with(|outer| {
            let again = NAME.with(|again| std::ptr::eq(outer, again));
            let inner =
                NAME.sync_scope("inner".into(), || NAME.with(|inner| inner.len() + outer.len()));
            let mut scope = Box::pin(NAME.scope("future".into(), async { NAME.get() }));
            let polled = poll(scope.as_mut());
            drop(NAME.scope("dropped".into(), async {}));
            (again, inner, polled, outer.clone(), NAME.get())
        })
    });
    assert_eq!(
        seen,
        (true, 10, Poll::Ready("future".to_owned()), "outer".to_owned(), "outer".to_owned())
    );
}

#[test]
fn scopes_and_readers_alternate_to_any_depth() {
    alternate(6, false);
    NUMBER.sync_scope(1, || alternate(6, false));
    assert_eq!(number(), None);
}

/// The executor of a thread of its own polls `scope` once and hands it on.
fn polled_by_another_thread<F>(mut scope: Pin<Box<F>>) -> (Poll<F::Output>, Pin<Box<F>>)
where
    F: Future + Send + ?Sized + 'static,
    F::Output: Send,
{
    thread::spawn(move || {
        let executor = silent_executor();
        let task = executor.spawn(async move { (poll(scope.as_mut()), scope) });
        run(&executor);
        joined(task).unwrap()
    })
    .join()
    .unwrap()
}

#[test]
fn a_value_goes_with_its_future_from_thread_to_thread() {
    let log = Log::new();
    let guard = SeenInDrop(log.clone());
    let mut scope: Pin<Box<dyn Future<Output = u32> + Send>> = Box::pin(COUNTER.scope(
        Cell::new(1),
        NUMBER.scope(8, async move {
            let _guard = guard;
            for _ in 0..3 {
                assert_eq!(number(), Some(8));
                COUNTER.with(|counter| counter.set(counter.get() * 10));
                let mut yielded = false;
                poll_fn(|_| {
                    if std::mem::replace(&mut yielded, true) {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                })
                .await;
            }
            pending().await
        }),
    ));
    for _ in 0..4 {
        let (state, back) = polled_by_another_thread(scope);
        assert!(state.is_pending());
        scope = back;
    }
    thread::spawn(move || drop(scope)).join().unwrap();
    log.expect(&["drop sees Some(8)"]);
}

#[test]
fn a_scope_is_send_whenever_value_and_future_are() {
    fn is_send<T: Send>(_: &T) {}
    // `Cell` is not `Sync`.
    is_send(&COUNTER.scope(Cell::new(0), ready(())));
}

#[test]
fn without_a_value_the_error_names_the_key_and_says_what_to_do() {
    let error: AccessError = NUMBER.try_with(|_| unreachable!("it is not called")).unwrap_err();
    let name = concat!(module_path!(), "::locals::NUMBER");
    let text = format!(
        "the task-local {name} has no value here: give one to the future with {name}.scope"
    );
    assert_eq!(error.to_string(), text);
    assert!((&error as &dyn Error).source().is_none());
    for panic in [
        catch_unwind(|| NUMBER.with(|_| ())).unwrap_err(),
        catch_unwind(|| NUMBER.get()).map(drop).unwrap_err(),
    ] {
        assert_eq!(panic.downcast_ref::<String>(), Some(&text));
    }
}

#[test]
fn polling_after_the_output_panics_and_says_whose_scope_it_is() {
    let mut scope = Box::pin(NUMBER.scope(1, ready(())));
    assert!(poll(scope.as_mut()).is_ready());
    let panic = catch_unwind(AssertUnwindSafe(|| poll(scope.as_mut()))).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("NUMBER after it was ready"), "{text}");
    assert_eq!(number(), None);
}

#[test]
fn keys_and_scopes_show_their_names_but_no_values() {
    let name = concat!(module_path!(), "::NAME");
    assert_eq!(format!("{NAME:?}"), format!("LocalKey {{ name: {name:?}, .. }}"));
    let mut scope: Pin<Box<Scope<String, _>>> = Box::pin(NAME.scope("secret".into(), ready(())));
    let shown = format!("Scope {{ key: {name:?}, ready: false, .. }}");
    assert_eq!(format!("{scope:?}"), shown);
    assert!(poll(scope.as_mut()).is_ready());
    assert_eq!(format!("{scope:?}"), shown.replace("false", "true"));
}

#[test]
fn the_future_of_block_on_is_part_of_its_caller_and_the_tasks_are_not() {
    let executor = silent_executor();
    let task = executor.spawn(async { number() });
    let seen = NUMBER.sync_scope(1, || {
        executor.block_on(async { (number(), task.await.unwrap(), number()) }, |_| Ok::<_, ()>(()))
    });
    assert_eq!(seen, Ok((Some(1), None, Some(1))));
}
