//! What the parking protocol promises, by behaviour.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use super::NativeDriver;

/// Longer than anything here takes, shorter than anybody waits.
const LONG: Duration = Duration::from_secs(20);

fn driver() -> NativeDriver {
    NativeDriver::new().expect("the system gives a poller")
}

/// `pause` from now, on the driver's clock.
fn after(pause: Duration) -> Option<u64> {
    Some(crate::time::now_ns() + u64::try_from(pause.as_nanos()).expect("less than 584 years"))
}

/// Parks for `LONG` at most, and says for how long it was.
fn park(driver: &NativeDriver) -> Duration {
    let start = Instant::now();
    driver.park(after(LONG)).expect("parking works");
    start.elapsed()
}

#[test]
fn an_unpark_before_park_makes_it_return_at_once_and_only_it() {
    let driver = driver();
    driver.unpark_waker().wake();
    driver.unpark_waker().wake();
    assert!(park(&driver) < LONG / 2);

    let pause = Duration::from_millis(30);
    let start = Instant::now();
    driver.park(after(pause)).expect("parking works");
    assert!(start.elapsed() >= pause, "a second park found an old ring");
}

#[test]
fn an_unpark_from_another_thread_interrupts_park() {
    let driver = driver();
    let waker = driver.unpark_waker();
    let ringer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(30));
        waker.wake();
    });
    assert!(park(&driver) < LONG / 2);
    ringer.join().expect("the ringer ends");
}

#[test]
fn collecting_does_not_wait() {
    let driver = driver();
    let start = Instant::now();
    driver.park(Some(0)).expect("parking works");
    assert!(start.elapsed() < LONG / 2);
}

/// Each thread rings and waits until the parker has seen it, so that a single lost ring stands
/// still until the park times out.
#[test]
fn no_ring_is_lost_between_threads() {
    const THREADS: u64 = 4;
    const RINGS: u64 = 5_000;
    let driver = driver();
    let rung = Arc::new(AtomicU64::new(0));
    let seen = Arc::new(AtomicU64::new(0));
    let start = Arc::new(Barrier::new(THREADS as usize + 1));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (waker, start) = (driver.unpark_waker(), Arc::clone(&start));
            let (rung, seen) = (Arc::clone(&rung), Arc::clone(&seen));
            thread::spawn(move || {
                start.wait();
                for _ in 0..RINGS {
                    let mine = rung.fetch_add(1, Ordering::SeqCst) + 1;
                    waker.wake_by_ref();
                    while seen.load(Ordering::SeqCst) < mine {
                        std::hint::spin_loop();
                        thread::yield_now();
                    }
                }
            })
        })
        .collect();
    start.wait();
    loop {
        let now = rung.load(Ordering::SeqCst);
        seen.store(now, Ordering::SeqCst);
        if now == THREADS * RINGS {
            break;
        }
        assert!(park(&driver) < LONG, "a ring was lost after {now}");
    }
    for thread in threads {
        thread.join().expect("the thread ends");
    }
}

#[test]
fn the_last_operation_that_ends_elsewhere_rings() {
    let driver = driver();
    let (first, last) = (driver.handle().hold(), driver.handle().hold());
    assert_eq!(driver.outstanding(), 2);
    let thread = thread::spawn(move || {
        drop(first);
        thread::sleep(Duration::from_millis(30));
        drop(last);
    });
    assert!(park(&driver) < LONG / 2);
    thread.join().expect("the thread ends");
    assert_eq!(driver.outstanding(), 0);
}

#[test]
fn an_operation_that_ends_on_the_own_thread_does_not_ring() {
    let driver = driver();
    drop(driver.handle().hold());
    let pause = Duration::from_millis(30);
    let start = Instant::now();
    driver.park(after(pause)).expect("parking works");
    assert!(start.elapsed() >= pause);
}

#[cfg(unix)]
mod foreign_loop {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::{NativeDriver, driver};

    fn is_readable(driver: &NativeDriver) -> bool {
        let fd = driver.as_fd();
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        let now = Timespec::default();
        poll(&mut fds, Some(&now)).expect("the system polls") == 1
    }

    #[test]
    fn sees_rings_though_nobody_parks() {
        let driver = driver();
        let waker = driver.unpark_waker();
        assert!(!is_readable(&driver));
        waker.wake_by_ref();
        assert!(is_readable(&driver));
        driver.park(Some(0)).expect("parking works");
        assert!(!is_readable(&driver), "collecting takes the ring");
        waker.wake_by_ref();
        assert!(is_readable(&driver));
    }

    #[test]
    fn sees_a_ring_from_before_it_began_to_look() {
        let driver = driver();
        driver.unpark_waker().wake();
        assert!(is_readable(&driver));
    }
}
