//! All cases, and who takes part in them.

use crate::contest::{Contestant, Loop, Measured};
use crate::contestants::async_executor::{Local, Static};
use crate::contestants::async_task::AsyncTask;
use crate::contestants::compio::Compio;
use crate::contestants::floor::{self, Floor};
use crate::contestants::futures::Futures;
use crate::contestants::kippu::Kippu;
use crate::contestants::tokio::Tokio;
use crate::tasks;
use crate::timers;
use crate::timers::alone;
use crate::timers::btree::MapTimers;
use crate::timers::kippu::KippuTimers;
#[cfg(not(target_family = "wasm"))]
use crate::timers::{
    async_io::AsyncIo, compio::Compio as CompioTimers, futures_timer::FuturesTimer,
    tokio::TokioTimers,
};
use kippu_executor::TimerWheel;
use serde::Serialize;

/// What is measured.
#[derive(Serialize)]
pub struct Case {
    pub bench: &'static str,
    pub name: &'static str,
    /// How many operations one round does.
    pub n: u32,
    /// Two numbers of operations: between them, instructions are counted.
    pub counted: [u32; 2],
    pub contenders: &'static [Contender],
    /// What `n` operations give when all of them were done.
    #[serde(skip)]
    pub sum: fn(u32) -> u64,
}

/// A contestant of one case.
#[derive(Serialize)]
pub struct Contender {
    pub name: &'static str,
    /// Whether its instructions can be counted: all are on the thread that runs the loop.
    pub counted: bool,
    #[serde(skip)]
    pub start: fn() -> Box<dyn Measured>,
}

const fn by(name: &'static str, start: fn() -> Box<dyn Measured>) -> Contender {
    Contender { name, counted: true, start }
}

#[cfg(not(target_family = "wasm"))]
const fn with_a_thread(name: &'static str, start: fn() -> Box<dyn Measured>) -> Contender {
    Contender { name, counted: false, start }
}

fn start<C: Contestant + 'static>(run: fn(&mut C, u32) -> u64) -> Box<dyn Measured> {
    Box::new(Loop { contestant: C::new(), run, sum: 0 })
}

fn start_floor(run: fn(&mut Floor, u32) -> u64) -> Box<dyn Measured> {
    Box::new(Loop { contestant: Floor::default(), run, sum: 0 })
}

/// 0 + 1 + ... + (n - 1)
fn triangle(n: u32) -> u64 {
    u64::from(n) * u64::from(n - 1) / 2
}

macro_rules! all {
    ($case:ident $(, $more:expr)*) => {
        &[
            by("kippu", || start::<Kippu>(tasks::$case)),
            by("async-executor", || start::<Local>(tasks::$case)),
            by("async-executor, static", || start::<Static>(tasks::$case)),
            by("tokio", || start::<Tokio>(tasks::$case)),
            by("futures", || start::<Futures>(tasks::$case)),
            $($more,)*
            by("floor", || start_floor(floor::$case)),
        ]
    };
}

macro_rules! all_and_turned_by_hand {
    ($case:ident) => {
        all!(
            $case,
            by("async-task", || start::<AsyncTask>(tasks::$case)),
            by("compio-executor", || start::<Compio>(tasks::$case))
        )
    };
}

macro_rules! all_with_timers {
    ($case:ident) => {
        &[
            by("kippu", timers::$case::<KippuTimers>),
            #[cfg(not(target_family = "wasm"))]
            by("tokio", timers::$case::<TokioTimers>),
            #[cfg(not(target_family = "wasm"))]
            with_a_thread("async-io", timers::$case::<AsyncIo>),
            #[cfg(not(target_family = "wasm"))]
            by("compio", timers::$case::<CompioTimers>),
            #[cfg(not(target_family = "wasm"))]
            with_a_thread("futures-timer", timers::$case::<FuturesTimer>),
            by("BTreeMap", timers::$case::<MapTimers>),
        ]
    };
}

macro_rules! all_with_virtual_time {
    () => {
        &[
            by("kippu", timers::expiry::<KippuTimers>),
            #[cfg(not(target_family = "wasm"))]
            by("tokio", timers::expiry::<TokioTimers>),
            by("BTreeMap", timers::expiry::<MapTimers>),
        ]
    };
}

macro_rules! stores {
    ($case:ident) => {
        &[by("kippu", alone::$case::<TimerWheel>), by("BTreeMap", alone::$case::<alone::Map>)]
    };
}

const fn timers_case(name: &'static str, n: u32, contenders: &'static [Contender]) -> Case {
    Case { bench: "timers", name, n, counted: [n / 2, n], contenders, sum: u64::from }
}

const fn tasks_case(
    name: &'static str,
    contenders: &'static [Contender],
    sum: fn(u32) -> u64,
) -> Case {
    Case { bench: "executor", name, n: 100_000, counted: [10_000, 30_000], contenders, sum }
}

pub const CASES: &[Case] = &[
    tasks_case("spawn 100k and join", all_and_turned_by_hand!(spawn_join), triangle),
    tasks_case("spawn and await each", all_and_turned_by_hand!(spawn_await), triangle),
    tasks_case("spawn 100k detached", all_and_turned_by_hand!(detached), triangle),
    tasks_case("yield, 1,000 tasks", all_and_turned_by_hand!(yields), |n| n.into()),
    tasks_case("channel message", all_and_turned_by_hand!(channel), triangle),
    tasks_case("completion, one a turn", all_and_turned_by_hand!(completion), triangle),
    tasks_case("completion, 1,000 a turn", all_and_turned_by_hand!(completions), triangle),
    // The others have no `block_on` of their own.
    tasks_case("block_on, ready", all!(block_on), triangle),
    timers_case("insert", 100_000, all_with_timers!(insert)),
    timers_case("insert and cancel", 100_000, all_with_timers!(insert_and_cancel)),
    timers_case("expiry of 10k", 10_000, all_with_virtual_time!()),
    timers_case("expiry of 100k", 100_000, all_with_virtual_time!()),
    timers_case("insert, store alone", 100_000, stores!(insert)),
    timers_case("insert and cancel, store alone", 100_000, stores!(insert_and_cancel)),
    timers_case("expiry of 100k, store alone", 100_000, stores!(expiry)),
];
