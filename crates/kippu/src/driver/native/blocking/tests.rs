//! What the pool promises, by behaviour.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use super::{Pool, blocking, lock};
use crate::block_on;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

fn pool(max_threads: usize, idle_time: Duration) -> &'static Pool {
    Box::leak(Box::new(Pool::new(max_threads, idle_time)))
}

/// Waits until `condition` holds.
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LONG, "{what} did not happen");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_result_comes_back() {
    let text = block_on(async { blocking(|| "done".to_owned()).await });
    assert_eq!(text.expect("no deadlock").expect("the job ran"), "done");
}

#[test]
fn a_panic_comes_back_as_an_error_and_the_pool_goes_on() {
    block_on(async {
        let literal = blocking(|| -> () { panic!("no luck") }).await.expect_err("a panic");
        assert_eq!(literal.kind(), io::ErrorKind::Other);
        assert_eq!(literal.to_string(), "a blocking call panicked: no luck");
        let formatted = blocking(|| -> () { panic!("no {}", 5) }).await.expect_err("a panic");
        assert_eq!(formatted.to_string(), "a blocking call panicked: no 5");
        assert_eq!(blocking(|| 1).await.expect("the pool goes on"), 1);
    })
    .expect("no deadlock");
}

#[test]
fn outside_of_a_runtime_it_is_an_error() {
    let mut future = std::pin::pin!(blocking(|| ()));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = future.as_mut().poll(&mut cx) else {
        panic!("a job was started");
    };
    assert!(error.to_string().contains("runtime"), "{error}");
}

#[test]
fn a_dropped_future_detaches_the_job_which_counts_until_done() {
    let (release, released) = mpsc::channel::<()>();
    let done = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&done);
    block_on(async move {
        let driver = super::current().expect("inside of a runtime");
        let mut job = Box::pin(blocking(move || {
            released.recv().expect("the test releases");
            seen.store(true, Ordering::SeqCst);
        }));
        std::future::poll_fn(|cx| {
            assert!(job.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        drop(job);
        let outstanding = || driver.outstanding.load(Ordering::SeqCst);
        assert_eq!(outstanding(), 1);
        release.send(()).expect("the job waits");
        eventually("the end of the job", || outstanding() == 0);
    })
    .expect("no deadlock");
    assert!(done.load(Ordering::SeqCst));
}

#[test]
fn no_more_jobs_than_threads_run_at_once_and_all_run() {
    const JOBS: usize = 200;
    let pool = pool(8, Duration::from_secs(1));
    let (now, most, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let counts = Arc::new((now, most, done));
    for _ in 0..JOBS {
        let counts = Arc::clone(&counts);
        pool.submit(Box::new(move || {
            let (now, most, done) = &*counts;
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(1));
            now.fetch_sub(1, Ordering::SeqCst);
            done.fetch_add(1, Ordering::SeqCst);
        }));
    }
    eventually("the end of all jobs", || counts.2.load(Ordering::SeqCst) == JOBS);
    let most = counts.1.load(Ordering::SeqCst);
    assert!((2..=8).contains(&most), "{most} ran at once");
}

#[test]
fn jobs_that_need_each_other_get_a_thread_each() {
    let pool = pool(4, Duration::from_secs(1));
    let meeting = Arc::new(Barrier::new(4));
    let (sender, receiver) = mpsc::channel();
    for _ in 0..4 {
        let (meeting, sender) = (Arc::clone(&meeting), sender.clone());
        pool.submit(Box::new(move || {
            meeting.wait();
            sender.send(()).expect("the test listens");
        }));
    }
    for _ in 0..4 {
        receiver.recv_timeout(LONG).expect("all four met");
    }
}

#[test]
fn idle_threads_end_and_come_back() {
    let pool = pool(4, Duration::from_millis(20));
    for _ in 0..3 {
        let (sender, receiver) = mpsc::channel();
        pool.submit(Box::new(move || sender.send(()).expect("the test listens")));
        receiver.recv_timeout(LONG).expect("the job ran");
        eventually("the end of the idle thread", || lock(&pool.state).threads == 0);
    }
}

/// The job wakes its task and leaves the count in two steps; the loop may look in between.
#[test]
fn a_job_that_ends_at_any_moment_is_no_deadlock() {
    let sum = block_on(async {
        let mut sum = 0;
        for index in 0..10_000_u64 {
            sum += blocking(move || index).await.expect("the job ran");
        }
        sum
    });
    assert_eq!(sum.expect("no deadlock"), 9_999 * 5_000);
}
