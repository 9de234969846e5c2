//! Task-locals: what is left when a future ends by completion, cancellation or panic, or its thread does.
#![cfg(feature = "std")]

#[path = "support/locals.rs"]
mod locals;
mod support;

use std::cell::RefCell;
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::Poll;
use std::thread;

use kippu_executor::{Executor, task_local};
use locals::{NUMBER, SeenInDrop, alternate, number, poll};
use support::{Log, Slot, joined, run, silent_executor};

#[test]
fn a_future_that_was_never_polled_sees_the_value_in_its_drop() {
    let log = Log::new();
    let guard = SeenInDrop(log.clone());
    drop(NUMBER.scope(5, async move { drop(guard) }));
    log.expect(&["drop sees Some(5)"]);
    assert_eq!(number(), None);
}

#[test]
fn a_cancelled_future_sees_the_value_in_its_drop() {
    let log = Log::new();
    let executor = silent_executor();
    let guard = SeenInDrop(log.clone());
    let task = executor.spawn(NUMBER.scope(6, async move {
        let _guard = guard;
        pending::<()>().await;
    }));
    run(&executor);
    task.abort();
    run(&executor);
    log.expect(&["drop sees Some(6)"]);
    assert!(joined(task).unwrap_err().is_cancelled());
}

#[test]
fn a_finished_future_is_dropped_with_the_value_before_its_output_is_given() {
    let log = Log::new();
    let guard = SeenInDrop(log.clone());
    let mut scope = Box::pin(NUMBER.scope(
        7,
        poll_fn(move |_| {
            let _guard = &guard;
            Poll::Ready(())
        }),
    ));
    assert!(poll(scope.as_mut()).is_ready());
    log.expect(&["drop sees Some(7)"]);
    drop(scope);
    log.expect(&[]);
}

#[test]
fn the_tasks_of_a_dying_executor_see_their_values_in_their_drops() {
    let log = Log::new();
    let executor = silent_executor();
    for own in [1, 2] {
        let guard = SeenInDrop(log.clone());
        executor
            .spawn(NUMBER.scope(own, async move {
                let _guard = guard;
                pending::<()>().await;
            }))
            .detach();
    }
    executor.run_ready(1);
    NUMBER.sync_scope(9, || drop(executor));
    log.expect(&["drop sees Some(2)", "drop sees Some(1)"]);
}

#[test]
fn the_value_is_dropped_once_after_the_future_outside_of_its_own_scope() {
    struct Value(Log);
    impl Drop for Value {
        fn drop(&mut self) {
            self.0.add(format!("value dropped: {}", VALUE.try_with(|_| ()).is_ok()));
        }
    }
    task_local!(static VALUE: Value);

    let log = Log::new();
    let executor = silent_executor();
    let scope = VALUE.scope(Value(log.clone()), log.pending("a", &Slot::new()));
    let task = executor.spawn(scope);
    run(&executor);
    task.abort();
    run(&executor);
    log.expect(&["poll a", "drop a", "value dropped: false"]);
    VALUE.sync_scope(Value(log.clone()), || log.add("inside"));
    log.expect(&["inside", "value dropped: false"]);
}

#[test]
fn a_panic_in_a_poll_restores_what_was_there_before() {
    let log = Log::new();
    let guard = SeenInDrop(log.clone());
    let mut scope = Box::pin(NUMBER.scope(
        2,
        poll_fn(move |_| -> Poll<()> {
            let _guard = &guard;
            resume_unwind(Box::new("in the poll"))
        }),
    ));
    NUMBER.sync_scope(1, || {
        assert!(catch_unwind(AssertUnwindSafe(|| poll(scope.as_mut()))).is_err());
        assert_eq!(number(), Some(1));
    });
    assert_eq!(number(), None);
    log.expect(&[]);
    drop(scope);
    log.expect(&["drop sees Some(2)"]);
}

#[test]
fn a_panic_in_a_task_leaves_no_value_to_the_next_one() {
    let executor = silent_executor();
    let bad = executor.spawn(NUMBER.scope(2, async { resume_unwind(Box::new("bad")) }));
    let next = executor.spawn(async { number() });
    run(&executor);
    assert!(joined::<()>(bad).unwrap_err().is_panic());
    assert_eq!(joined(next).unwrap(), None);
}

#[test]
fn a_panic_in_the_drop_of_a_future_restores_what_was_there_before() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            resume_unwind(Box::new(format!("{:?}", number())));
        }
    }
    let bomb = Bomb;
    let scope = NUMBER.scope(2, async move { drop(bomb) });
    let panic = NUMBER.sync_scope(1, || {
        let panic = catch_unwind(AssertUnwindSafe(|| drop(scope))).unwrap_err();
        assert_eq!(number(), Some(1));
        panic
    });
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "Some(2)");
}

#[test]
fn a_panic_in_a_synchronous_scope_or_in_a_reader_restores_what_was_there_before() {
    let caught = |f: fn() -> ()| catch_unwind(f).unwrap_err();
    NUMBER.sync_scope(1, || {
        caught(|| NUMBER.sync_scope(2, || resume_unwind(Box::new(()))));
        assert_eq!(number(), Some(1));
        caught(|| NUMBER.with(|_| resume_unwind(Box::new(()))));
        assert_eq!(number(), Some(1));
    });
    assert_eq!(number(), None);
}

#[test]
fn a_panic_passes_through_alternating_scopes_and_readers() {
    for _ in 0..2 {
        let panic = catch_unwind(|| alternate(4, true)).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"at the bottom"));
        assert_eq!(number(), None);
    }
}

/// Drops a half-polled scope while its thread ends. `first` runs before the scope's home is made, so that
/// thread-locals can be destroyed in either order.
fn dropped_at_the_end_of_a_thread(first: fn()) -> Vec<String> {
    thread_local! {
        static HOME: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>> = const { RefCell::new(None) };
    }
    let log = Log::new();
    let guard = SeenInDrop(log.clone());
    thread::spawn(move || {
        first();
        HOME.with_borrow_mut(|home| {
            let scope = home.insert(Box::pin(NUMBER.scope(3, async move {
                let _guard = guard;
                pending::<()>().await;
            })));
            assert!(poll(scope.as_mut()).is_pending());
        });
    })
    .join()
    .unwrap();
    log.take()
}

#[test]
fn a_scope_may_be_dropped_while_its_thread_ends() {
    let nothing = || ();
    let touch_the_key = || assert_eq!(number(), None);
    let seen: [Vec<String>; 2] = [nothing, touch_the_key].map(dropped_at_the_end_of_a_thread);
    // Which of the two orders finds the key's frames destroyed depends on the platform.
    for log in seen {
        assert!(log == ["drop sees Some(3)"] || log == ["drop sees None"], "{log:?}");
    }
}

#[test]
fn an_executor_may_turn_while_its_thread_ends() {
    struct Turns(Option<(Executor, Log)>);
    impl Drop for Turns {
        fn drop(&mut self) {
            if let Some((executor, log)) = self.0.take() {
                run(&executor);
                log.add("turned");
            }
        }
    }
    thread_local!(static HOME: RefCell<Turns> = const { RefCell::new(Turns(None)) });
    let log = Log::new();
    let there = log.clone();
    thread::spawn(move || {
        let executor = silent_executor();
        executor.spawn(there.ready("a", ())).detach();
        HOME.with_borrow_mut(|home| home.0 = Some((executor, there.clone())));
    })
    .join()
    .unwrap();
    log.expect(&["poll a", "drop a", "turned"]);
}
