//! The loops that are measured, the same text for every contestant. The crate that includes this
//! file says in its module `host` how a host function is called and in `spawn` how a task starts.

use crate::{host, spawn};
use futures_channel::oneshot;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The payload of the cases with bytes.
const PAYLOAD: usize = 64 * 1024;

/// Awaits an async host function that gives a number, `n` times.
pub async fn numbers(n: u32) -> f64 {
    let mut sum = 0.0;
    for _ in 0..n {
        sum += host::number().await;
    }
    sum
}

/// Awaits an async host function that gives a string of 20 bytes, `n` times.
pub async fn texts(n: u32) -> f64 {
    let mut sum = 0.0;
    for _ in 0..n {
        sum += host::text().await.len() as f64;
    }
    sum
}

/// Hands 64 KiB to an async host function, `n` times.
pub async fn bytes_out(n: u32) -> f64 {
    let payload = vec![7; PAYLOAD];
    let mut sum = 0.0;
    for _ in 0..n {
        sum += host::take(&payload).await;
    }
    sum
}

/// Awaits an async host function that gives 64 KiB, `n` times.
pub async fn bytes_in(n: u32) -> f64 {
    let mut sum = 0.0;
    for _ in 0..n {
        sum += host::give().await.len() as f64;
    }
    sum
}

/// Calls a synchronous host function, `n` times.
pub fn sync_numbers(n: u32) -> f64 {
    let mut sum = 0.0;
    for _ in 0..n {
        sum += host::sync_number();
    }
    sum
}

/// Starts `n` tasks that each await a number which the host gives in a later macrotask.
pub async fn in_flight(n: u32) -> f64 {
    let all = Countdown::new(n);
    for _ in 0..n {
        let all = Rc::clone(&all);
        spawn(async move { all.add(host::later().await) });
    }
    all.done().await
}

/// Starts `n` tasks that end at their first poll.
pub async fn spawns(n: u32) -> f64 {
    let all = Countdown::new(n);
    for _ in 0..n {
        let all = Rc::clone(&all);
        spawn(async move { all.add(1.0) });
    }
    all.done().await
}

/// Waits until a number of tasks have each added their part.
struct Countdown {
    left: Cell<u32>,
    sum: Cell<f64>,
    sender: Cell<Option<oneshot::Sender<f64>>>,
    receiver: RefCell<Option<oneshot::Receiver<f64>>>,
}

impl Countdown {
    fn new(n: u32) -> Rc<Self> {
        let (sender, receiver) = oneshot::channel();
        Rc::new(Self {
            left: Cell::new(n),
            sum: Cell::new(0.0),
            sender: Cell::new(Some(sender)),
            receiver: RefCell::new(Some(receiver)),
        })
    }

    fn add(&self, part: f64) {
        self.sum.set(self.sum.get() + part);
        self.left.set(self.left.get() - 1);
        if self.left.get() == 0
            && let Some(sender) = self.sender.take()
        {
            // The receiver lives in this very value.
            let _ = sender.send(self.sum.get());
        }
    }

    async fn done(&self) -> f64 {
        let receiver = self.receiver.take().expect("done is called once");
        receiver.await.expect("the sender is dropped only after it has sent")
    }
}
