//! The executor as one future of a tokio program: tokio's loop turns it, and its tasks may await tokio's futures.
//!
//! Three things let tokio poll the driver again: the executor's bell, the earliest deadline, and a spent budget.
//! For the whole runtime with its I/O see the example `embed-tokio` of the crate `kippu`.

mod support;

use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_channel::{Receiver, Sender, bounded};
use futures_util::task::AtomicWaker;
use kippu_executor::{Executor, JoinError, JoinHandle};
use tokio::time::Instant;

/// Polls before tokio's own tasks get their turn again.
const BUDGET: usize = 64;

/// Wakes the tokio task that polls the driver.
#[derive(Default)]
struct Bell(AtomicWaker);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.wake();
    }
}

// ANCHOR: drive
/// Turns `executor` until `main` has ended. Deadlines are ns since `start`.
async fn drive<T>(
    executor: &Executor,
    bell: &Bell,
    start: Instant,
    mut main: JoinHandle<T>,
) -> Result<T, JoinError> {
    let mut timer = pin!(tokio::time::sleep_until(start));
    std::future::poll_fn(|cx: &mut Context<'_>| {
        // First of all, so that no ring is lost.
        bell.0.register(cx.waker());
        loop {
            executor.stay_awake();
            executor.fire_timers(start.elapsed().as_nanos() as u64);
            let more = executor.run_ready(BUDGET);
            if let Poll::Ready(output) = Pin::new(&mut main).poll(cx) {
                return Poll::Ready(output);
            }
            if more {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let Some(deadline) = executor.next_deadline() else { return Poll::Pending };
            timer.as_mut().reset(start + Duration::from_nanos(deadline));
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}
// ANCHOR_END: drive

/// A tokio task: doubles each number after a while.
async fn double(numbers: Receiver<u32>, answers: Sender<u32>) {
    while let Ok(number) = numbers.recv().await {
        tokio::time::sleep(Duration::from_millis(2)).await;
        if answers.send(number * 2).await.is_err() {
            return;
        }
    }
}

/// A task of ours: asks for the double of 1 to `count`, and sleeps by its own executor's timers in between.
async fn ask(
    executor: Weak<Executor>,
    start: Instant,
    count: u32,
    numbers: Sender<u32>,
    answers: Receiver<u32>,
) -> Vec<u32> {
    let mut all = Vec::new();
    for number in 1..=count {
        let pause = start.elapsed() + Duration::from_millis(2);
        support::sleep_until(&executor, pause.as_nanos() as u64).await;
        numbers.send(number).await.expect("tokio's task waits for numbers");
        all.push(answers.recv().await.expect("tokio's task answers each number"));
        // Futures of tokio work here too: this is inside its loop.
        tokio::task::yield_now().await;
    }
    all
}

/// Runs both on this thread and returns what ours got from tokio's.
pub(crate) fn run(count: u32) -> Vec<u32> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("tokio's timers need nothing of the system");
    runtime.block_on(async {
        let bell = Arc::new(Bell::default());
        let executor = Rc::new(Executor::new(Waker::from(bell.clone())));
        let start = Instant::now();
        let (numbers, asked) = bounded(1);
        let (answers, answered) = bounded(1);
        tokio::spawn(double(asked, answers));
        let main = executor.spawn(ask(Rc::downgrade(&executor), start, count, numbers, answered));
        drive(&executor, &bell, start, main).await.expect("the task does not panic")
    })
}

fn main() {
    println!("tokio doubled them: {:?}", run(5));
}
