//! Random tasks: scripts that say what a task does in each poll, and who carries it out.

use proptest::prelude::*;

use super::support::rounds;

/// A task. Others are named by how many were spawned after them, modulo how many there are.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// What it does in each poll. After the last one it is ready.
    pub(crate) steps: Vec<Step>,
    /// What the drop of its future does.
    pub(crate) on_drop: Vec<Act>,
    /// The drop of its future ends in a panic.
    pub(crate) drop_panics: bool,
    /// The drop of its output ends in a panic.
    pub(crate) output_panics: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) acts: Vec<Act>,
    pub(crate) end: End,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Pending,
    Ready,
    Panic,
}

#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Does something with the waker that the other has left at its last poll.
    Waker(usize, Use, Where),
    /// The same with its own, or nothing by the driver.
    OwnWaker(Use, Where),
    Abort(usize),
    AbortSelf,
    /// Drops the abort handle.
    ForgetAbort(usize),
    DropHandle(usize),
    Detach(usize),
    /// Polls the other's handle.
    Join(usize),
    Spawn(Script),
    SpawnPolled(Script),
}

/// What happens to a waker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    WakeByRef,
    /// It is used up: until the next poll there is none.
    WakeByValue,
    WakeClone,
    /// A clone takes its place.
    Renew,
    Drop,
}

impl Use {
    pub(crate) fn wakes(self) -> bool {
        matches!(self, Use::WakeByRef | Use::WakeByValue | Use::WakeClone)
    }

    pub(crate) fn uses_up(self) -> bool {
        matches!(self, Use::WakeByValue | Use::Drop)
    }
}

/// On which thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    Here,
    /// On another, while this one waits.
    There,
}

/// What the driver does.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Act(Act),
    Run(usize),
    StayAwake,
    /// Drops the executor and makes another one.
    Rebirth,
}

/// Panics are contained only with `std`. Without it they leave `run_ready`, which `panic_passes.rs` tests.
const PANICS: u32 = cfg!(feature = "std") as u32;

/// How deep scripts within scripts may be.
const DEPTH: u32 = rounds(2, 1);

fn id() -> impl Strategy<Value = usize> + Clone {
    prop_oneof![9 => 0..12_usize, 1 => 0..200_usize]
}

fn usage() -> impl Strategy<Value = Use> + Clone {
    prop_oneof![
        4 => Just(Use::WakeByRef),
        2 => Just(Use::WakeByValue),
        2 => Just(Use::WakeClone),
        1 => Just(Use::Renew),
        1 => Just(Use::Drop),
    ]
}

fn place() -> impl Strategy<Value = Where> + Clone {
    prop_oneof![3 => Just(Where::Here), 2 => Just(Where::There)]
}

fn drop_act(depth: u32) -> BoxedStrategy<Act> {
    let acts = prop_oneof![
        4 => (id(), usage(), place()).prop_map(|(id, usage, place)| Act::Waker(id, usage, place)),
        2 => id().prop_map(Act::Abort),
        1 => id().prop_map(Act::ForgetAbort),
        2 => id().prop_map(Act::DropHandle),
        1 => id().prop_map(Act::Detach),
    ];
    if depth == 0 {
        return acts.boxed();
    }
    prop_oneof![
        3 => acts,
        1 => script(depth - 1).prop_map(Act::Spawn),
        1 => script(depth - 1).prop_map(Act::SpawnPolled),
    ]
    .boxed()
}

fn act(depth: u32) -> BoxedStrategy<Act> {
    prop_oneof![
        8 => drop_act(depth),
        4 => (usage(), place()).prop_map(|(usage, place)| Act::OwnWaker(usage, place)),
        1 => Just(Act::AbortSelf),
        4 => id().prop_map(Act::Join),
    ]
    .boxed()
}

fn script(depth: u32) -> BoxedStrategy<Script> {
    let end = prop_oneof![
        5 => Just(End::Pending),
        1 => Just(End::Ready),
        PANICS => Just(End::Panic),
    ];
    let step =
        (prop::collection::vec(act(depth), 0..4), end).prop_map(|(acts, end)| Step { acts, end });
    let panics = || prop_oneof![7 => Just(false), PANICS => Just(true)];
    let steps = prop::collection::vec(step, 0..5);
    (steps, prop::collection::vec(drop_act(depth), 0..2), panics(), panics())
        .prop_map(|(steps, on_drop, drop_panics, output_panics)| Script {
            steps,
            on_drop,
            drop_panics,
            output_panics,
        })
        .boxed()
}

pub(crate) fn op() -> BoxedStrategy<Op> {
    prop_oneof![
        24 => script(DEPTH).prop_map(|script| Op::Act(Act::Spawn(script))),
        32 => act(DEPTH).prop_map(Op::Act),
        16 => (0..6_usize).prop_map(Op::Run),
        8 => Just(Op::Run(usize::MAX)),
        1 => Just(Op::StayAwake),
        1 => Just(Op::Rebirth),
    ]
    .boxed()
}

/// Who carries out scripts: the executor, or the model of one.
pub(crate) trait World {
    fn tasks(&self) -> usize;
    fn waker(&mut self, id: usize, usage: Use, place: Where);
    fn abort(&mut self, id: usize);
    fn forget_abort(&mut self, id: usize);
    fn drop_handle(&mut self, id: usize, detach: bool);
    /// `by`: the task that does it; `None`: the driver.
    fn join(&mut self, id: usize, by: Option<usize>);
    fn spawn(&mut self, script: &Script, polled: bool);
}

/// Carries out an act of the task `by`, or of the driver.
pub(crate) fn carry_out(world: &mut impl World, act: &Act, by: Option<usize>) {
    match act {
        Act::Spawn(script) => return world.spawn(script, false),
        Act::SpawnPolled(script) => return world.spawn(script, true),
        Act::OwnWaker(usage, place) => {
            return by.into_iter().for_each(|id| world.waker(id, *usage, *place));
        }
        Act::AbortSelf => return by.into_iter().for_each(|id| world.abort(id)),
        _ => {}
    }
    let Some(last) = world.tasks().checked_sub(1) else { return };
    let task = |n: usize| last - n % (last + 1);
    match *act {
        Act::Waker(n, usage, place) => world.waker(task(n), usage, place),
        Act::Abort(n) => world.abort(task(n)),
        Act::ForgetAbort(n) => world.forget_abort(task(n)),
        Act::DropHandle(n) => world.drop_handle(task(n), false),
        Act::Detach(n) => world.drop_handle(task(n), true),
        Act::Join(n) => world.join(task(n), by),
        _ => unreachable!("done above"),
    }
}
