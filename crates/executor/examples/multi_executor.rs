//! An executor on each of several threads, which work together by messages: the words of some texts are counted
//! by mappers and reducers.
//!
//! ```text
//!           texts               words, by their letters         counts
//!  main ──────────► mappers ─────────────────────────► reducers ──────► main
//! ```
//!
//! Tasks stay on their threads. What crosses is messages, through channels of little room: a receiver that waits
//! is woken by another thread's send, and a sender that waits for room by another thread's receive. Each thread's
//! driver sleeps by `thread::park` while it has nothing to do.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::{self, Thread};

use async_channel::{Receiver, Sender, bounded};
use futures_util::FutureExt;
use kippu_executor::{Executor, JoinHandle};

/// Polls before a driver looks round.
const BUDGET: usize = 64;
/// Messages that a channel has room for. Few, so that both ends have to wait.
const ROOM: usize = 4;
/// Tasks on each mapper's thread.
const TASKS: usize = 3;

/// Ends the sleep of a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

// ANCHOR: thread
/// Makes an executor for this thread and runs it until the task that `start` gives back has ended. Returns its
/// output, and how often the thread slept.
fn run_thread<T: 'static>(start: impl FnOnce(&Executor) -> JoinHandle<T>) -> (T, usize) {
    let executor = Executor::new(Waker::from(Arc::new(Unpark(thread::current()))));
    let mut main = start(&executor);
    let mut sleeps = 0;
    loop {
        if executor.run_ready(BUDGET) {
            continue;
        }
        // Nobody has to be woken for the output: this loop asks for it.
        if let Some(output) = (&mut main).now_or_never() {
            return (output.expect("no task panics or is aborted"), sleeps);
        }
        // There are no timers. A wake since `run_ready` has left its mark, so that this returns at once.
        thread::park();
        sleeps += 1;
    }
}
// ANCHOR_END: thread

/// A word and how often it occurs in one text.
type Count = (String, usize);

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// The reducer that is responsible for a word.
fn responsible(word: &str, reducers: usize) -> usize {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(word);
    (hash % reducers as u64) as usize
}

/// Counts the words of one text after the other, as long as there are texts.
async fn map(texts: Receiver<&'static str>, reducers: Vec<Sender<Count>>) {
    while let Ok(text) = texts.recv().await {
        let mut counts = HashMap::new();
        for word in words(text) {
            *counts.entry(word).or_insert(0) += 1;
        }
        for (word, count) in counts {
            let reducer = &reducers[responsible(&word, reducers.len())];
            reducer.send((word, count)).await.expect("a reducer outlives the mappers");
        }
    }
}

/// Adds up what all mappers have found, and sends it on when the last of them is done.
async fn reduce(counts: Receiver<Count>, totals: Sender<BTreeMap<String, usize>>) {
    let mut total = BTreeMap::new();
    while let Ok((word, count)) = counts.recv().await {
        *total.entry(word).or_insert(0) += count;
    }
    totals.send(total).await.expect("main waits for every reducer");
}

/// What came of it.
pub(crate) struct Report {
    pub(crate) counts: BTreeMap<String, usize>,
    /// How often the drivers slept, all together.
    pub(crate) sleeps: usize,
}

/// Counts the words of `texts` on so many threads, and on this one.
pub(crate) fn run(texts: Vec<&'static str>, mappers: usize, reducers: usize) -> Report {
    // A channel ends when all its senders are gone, so each thread takes what it needs and no more is left here.
    let (text_sender, text_receiver) = bounded(ROOM);
    let (total_sender, total_receiver) = bounded(ROOM);
    let mut count_senders = Vec::new();
    let mut threads = Vec::new();
    for _ in 0..reducers {
        let (sender, counts) = bounded(ROOM);
        count_senders.push(sender);
        let totals = total_sender.clone();
        threads.push(thread::spawn(move || {
            run_thread(|executor| executor.spawn(reduce(counts, totals))).1
        }));
    }
    drop(total_sender);
    for _ in 0..mappers {
        let (texts, reducers) = (text_receiver.clone(), count_senders.clone());
        let start = move |executor: &Executor| {
            let task = |_| executor.spawn(map(texts.clone(), reducers.clone()));
            let tasks: Vec<_> = (0..TASKS).map(task).collect();
            executor.spawn(async move {
                for task in tasks {
                    task.await.expect("no mapper panics or is aborted");
                }
            })
        };
        threads.push(thread::spawn(move || run_thread(start).1));
    }
    drop((text_receiver, count_senders));

    let (counts, mut sleeps) = run_thread(|executor| {
        let feed = async move {
            for text in texts {
                text_sender.send(text).await.expect("the mappers wait for texts");
            }
        };
        executor.spawn(feed).detach();
        executor.spawn(async move {
            let mut all = BTreeMap::new();
            while let Ok(total) = total_receiver.recv().await {
                all.extend(total);
            }
            all
        })
    });
    for thread in threads {
        sleeps += thread.join().expect("no thread panics");
    }
    Report { counts, sleeps }
}

/// The counts without any executor, to compare with.
pub(crate) fn expected(texts: &[&str]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for word in texts.iter().flat_map(|text| words(text)) {
        *counts.entry(word).or_insert(0) += 1;
    }
    counts
}

/// Sources of the executor, for want of better literature.
pub(crate) const TEXTS: &[&str] = &[
    include_str!("../src/dump.rs"),
    include_str!("../src/join.rs"),
    include_str!("../src/tickets.rs"),
    include_str!("../src/wheel.rs"),
    include_str!("../README.md"),
];

fn main() {
    let texts = TEXTS.repeat(20);
    let report = run(texts.clone(), 3, 2);
    assert_eq!(report.counts, expected(&texts), "the threads agree with a plain loop");
    let mut counts: Vec<_> = report.counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("{} words; the drivers slept {} times", counts.len(), report.sleeps);
    for (word, count) in counts.iter().take(5) {
        println!("{count:>6} {word}");
    }
}
