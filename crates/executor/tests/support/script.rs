//! Random tasks: scripts that say what a task does in each poll, and who carries it out.

use proptest::prelude::*;

/// A task. Others are named by their place in the order of spawns, modulo how many there are.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// What it does in each poll. After the last one it is ready.
    pub(crate) steps: Vec<Step>,
    /// What the drop of its future does.
    pub(crate) on_drop: Vec<Act>,
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
    Wake(usize),
    WakeSelf,
    Abort(usize),
    DropHandle(usize),
    /// Polls the other's handle.
    Join(usize),
    Spawn(Script),
    SpawnPolled(Script),
}

/// What the driver does.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Act(Act),
    Run(usize),
}

fn drop_act(depth: u32) -> BoxedStrategy<Act> {
    let id = 0..12_usize;
    let acts = prop_oneof![
        id.clone().prop_map(Act::Wake),
        id.clone().prop_map(Act::Abort),
        id.prop_map(Act::DropHandle),
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
        2 => drop_act(depth),
        1 => Just(Act::WakeSelf),
        1 => (0..12_usize).prop_map(Act::Join),
    ]
    .boxed()
}

fn script(depth: u32) -> BoxedStrategy<Script> {
    // Without `std` a panic leaves `run_ready`, which `panic_passes.rs` tests.
    let panics = u32::from(cfg!(feature = "std"));
    let end = prop_oneof![
        5 => Just(End::Pending),
        1 => Just(End::Ready),
        panics => Just(End::Panic),
    ];
    let step =
        (prop::collection::vec(act(depth), 0..4), end).prop_map(|(acts, end)| Step { acts, end });
    (prop::collection::vec(step, 0..5), prop::collection::vec(drop_act(depth), 0..2))
        .prop_map(|(steps, on_drop)| Script { steps, on_drop })
        .boxed()
}

pub(crate) fn op() -> BoxedStrategy<Op> {
    prop_oneof![
        3 => script(2).prop_map(|script| Op::Act(Act::Spawn(script))),
        4 => act(2).prop_map(Op::Act),
        2 => (0..6_usize).prop_map(Op::Run),
        1 => Just(Op::Run(usize::MAX)),
    ]
    .boxed()
}

/// Who carries out scripts: the executor, or the model of one.
pub(crate) trait World {
    fn tasks(&self) -> usize;
    fn wake(&mut self, id: usize);
    fn abort(&mut self, id: usize);
    fn drop_handle(&mut self, id: usize);
    /// `by`: the task that does it; `None`: the driver.
    fn join(&mut self, id: usize, by: Option<usize>);
    fn spawn(&mut self, script: &Script, polled: bool);
}

/// Carries out an act of the task `by`, or of the driver.
pub(crate) fn carry_out(world: &mut impl World, act: &Act, by: Option<usize>) {
    match act {
        Act::Spawn(script) => world.spawn(script, false),
        Act::SpawnPolled(script) => world.spawn(script, true),
        Act::WakeSelf => by.into_iter().for_each(|id| world.wake(id)),
        Act::Wake(_) | Act::Abort(_) | Act::DropHandle(_) | Act::Join(_) if world.tasks() == 0 => {}
        Act::Wake(n) => world.wake(n % world.tasks()),
        Act::Abort(n) => world.abort(n % world.tasks()),
        Act::DropHandle(n) => world.drop_handle(n % world.tasks()),
        Act::Join(n) => world.join(n % world.tasks(), by),
    }
}
