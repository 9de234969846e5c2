//! The runtime natively: blocking on futures, deadlocks, wakes from other threads, `main`'s rules.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use kippu::task::{spawn, yield_now};
use kippu::time::{Instant, sleep, timeout};
use kippu::{BlockOnError, Runtime, block_on};

#[test]
fn block_on_gives_the_output_and_may_borrow() {
    let text = String::from("borrowed");
    let len = block_on(async {
        yield_now().await;
        text.len()
    });
    assert_eq!(len.unwrap(), 8);
}

#[test]
fn what_the_future_spawns_last_is_no_deadlock() {
    // The spawn makes the run queue non-empty after it was found empty.
    assert_eq!(block_on(async { spawn(async { 7 }).await.unwrap() }).unwrap(), 7);
}

#[test]
fn the_future_takes_its_place_in_the_order_of_wakes() {
    let log = Rc::new(RefCell::new(Vec::new()));
    block_on(async {
        for name in ["a", "b"] {
            let log = log.clone();
            spawn(async move {
                for round in 0..2 {
                    log.borrow_mut().push(format!("{name}{round}"));
                    yield_now().await;
                }
            })
            .detach();
        }
        for round in 0..3 {
            log.borrow_mut().push(format!("root{round}"));
            yield_now().await;
        }
    })
    .unwrap();
    assert_eq!(log.borrow().join(" "), "root0 a0 b0 root1 a1 b1 root2");
}

#[test]
fn waiting_for_nothing_is_a_deadlock() {
    let error = block_on(pending::<()>()).unwrap_err();
    assert!(matches!(error, BlockOnError::WouldDeadlock(ref tasks) if tasks.is_empty()), "{error}");
}

#[test]
fn a_deadlock_of_tasks_names_them() {
    let error = block_on(async {
        let stuck = kippu::task::Builder::new().name("stuck").spawn(pending::<()>());
        stuck.await
    })
    .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("\"stuck\"") && text.contains("native_runtime.rs"), "{text}");
}

#[test]
fn a_wake_from_another_thread_is_waited_for() {
    let (send, receive) = mpsc::channel::<Waker>();
    let thread = thread::spawn(move || {
        let waker = receive.recv().unwrap();
        thread::sleep(Duration::from_millis(30));
        waker.wake();
    });
    let mut sent = false;
    block_on(poll_fn(|cx| {
        if sent {
            return Poll::Ready(());
        }
        sent = true;
        send.send(cx.waker().clone()).unwrap();
        Poll::Pending
    }))
    .unwrap();
    thread.join().unwrap();
}

#[test]
fn a_wake_that_is_given_up_by_another_thread_ends_in_a_deadlock() {
    // The thread drops the waker before the runtime looks: nobody can wake the future any more.
    let mut polled = false;
    let error = block_on(poll_fn(|cx| {
        assert!(!polled, "nobody woke it");
        polled = true;
        let waker = cx.waker().clone();
        thread::spawn(move || drop(waker)).join().unwrap();
        Poll::<()>::Pending
    }))
    .unwrap_err();
    assert!(matches!(error, BlockOnError::WouldDeadlock(_)), "{error}");
}

#[test]
fn a_waker_that_is_dropped_while_the_runtime_sleeps_ends_in_a_deadlock() {
    // Nobody wakes; the drop alone has to end the sleep.
    let mut dropping = None;
    let error = block_on(poll_fn(|cx| {
        let waker = cx.waker().clone();
        dropping.get_or_insert_with(|| {
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(50));
                drop(waker);
            })
        });
        Poll::<()>::Pending
    }))
    .unwrap_err();
    assert!(matches!(error, BlockOnError::WouldDeadlock(_)), "{error}");
    dropping.expect("it was polled").join().unwrap();
}

#[test]
fn timers_that_do_not_count_do_not_hide_a_deadlock() {
    let error = block_on(async {
        spawn(async {
            loop {
                sleep(Duration::from_secs(1)).unref().await;
            }
        })
        .detach();
        pending::<()>().await;
    })
    .unwrap_err();
    assert!(matches!(error, BlockOnError::WouldDeadlock(_)), "{error}");
    let woken =
        block_on(timeout(Duration::from_millis(20), sleep(Duration::from_millis(1)).unref()));
    assert_eq!(woken.unwrap(), Ok(()), "they fire while something else counts");
}

#[test]
fn block_on_inside_a_task_is_an_error() {
    let inner = block_on(async { block_on(async { 1 }) }).unwrap();
    assert!(matches!(inner, Err(BlockOnError::Nested)));
    let runtime = Runtime::new().unwrap();
    let inner = runtime.block_on(async { Runtime::new().unwrap().block_on(async { 1 }) }).unwrap();
    assert!(matches!(inner, Err(BlockOnError::Nested)));
}

#[test]
fn a_panic_passes_through_and_leaves_the_runtime_usable() {
    let runtime = Runtime::new().unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on(async { panic!("on purpose") })
    }));
    assert_eq!(panicked.err().unwrap().downcast_ref::<&str>(), Some(&"on purpose"));
    assert_eq!(runtime.block_on(async { 3 }).unwrap(), 3);
}

#[test]
fn a_panic_of_a_task_is_contained() {
    let error =
        block_on(async { spawn(async { panic!("on purpose") }).await }).unwrap().unwrap_err();
    assert!(error.is_panic());
    assert_eq!(error.panic_message(), Some("on purpose"));
}

#[test]
fn tasks_stay_between_calls() {
    let runtime = Runtime::new().unwrap();
    let count = Rc::new(Cell::new(0));
    let counter = count.clone();
    let task = runtime.spawn(async move {
        for _ in 0..3 {
            counter.set(counter.get() + 1);
            yield_now().await;
        }
    });
    assert_eq!(count.get(), 0);
    runtime.block_on(yield_now()).unwrap();
    assert!(count.get() >= 1);
    runtime.block_on(task).unwrap().unwrap();
    assert_eq!(count.get(), 3);
}

#[test]
fn a_foreign_loop_turns_it() {
    let runtime = Runtime::with_unpark(Waker::noop().clone()).unwrap();
    let task = runtime.spawn(async {
        sleep(Duration::from_millis(10)).await;
        5
    });
    let mut turns = 0;
    while !task.is_finished() {
        let turn = runtime.turn(16).unwrap();
        turns += 1;
        assert!(turns < 100, "it sleeps until the deadline");
        if let Some(deadline) = turn.deadline {
            thread::sleep(deadline.duration_since(Instant::now()));
        }
    }
    assert_eq!(runtime.block_on(task).unwrap().unwrap(), 5);
}

#[test]
fn block_on_works_on_a_runtime_of_a_foreign_loop() {
    let runtime = Runtime::with_unpark(Waker::noop().clone()).unwrap();
    let (send, receive) = mpsc::channel::<Waker>();
    let thread = thread::spawn(move || {
        let waker = receive.recv().unwrap();
        thread::sleep(Duration::from_millis(30));
        waker.wake();
    });
    let mut sent = false;
    let task = runtime.spawn(poll_fn(move |cx| {
        if sent {
            return Poll::Ready(());
        }
        sent = true;
        send.send(cx.waker().clone()).unwrap();
        Poll::Pending
    }));
    runtime.block_on(task).unwrap().unwrap();
    thread.join().unwrap();
}

#[test]
fn unpark_is_rung_once_for_many_wakes() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    struct Bell(AtomicUsize);
    impl std::task::Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let bell = Arc::new(Bell(AtomicUsize::new(0)));
    let runtime = Runtime::with_unpark(Waker::from(bell.clone())).unwrap();
    for _ in 0..10 {
        runtime.spawn(async {}).detach();
    }
    assert_eq!(bell.0.load(SeqCst), 1);
    assert!(!runtime.turn(100).unwrap().more);
    runtime.spawn(async {}).detach();
    assert_eq!(bell.0.load(SeqCst), 2);
}

#[test]
fn a_sleep_that_is_moved_to_another_runtime_still_ends() {
    let mut nap = Box::pin(sleep(Duration::from_millis(20)));
    let first = block_on(poll_fn(|cx| Poll::Ready(nap.as_mut().poll(cx).is_pending()))).unwrap();
    assert!(first, "its timer is in the first runtime, which is gone");
    block_on(timeout(Duration::from_secs(10), nap)).unwrap().unwrap();
}

#[test]
fn sleep_and_timeout_are_send() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    block_on(is_send(timeout(Duration::from_secs(10), is_send(sleep(Duration::from_millis(1))))))
        .unwrap()
        .unwrap();
}

#[test]
#[should_panic(expected = "no kippu runtime on this thread")]
fn spawning_outside_a_runtime_says_where_to_do_it() {
    drop(spawn(async {}));
}
