//! The runtime on WASI 0.3: a future, which is all that an export's task of the component model does.
//!
//! Each call of an export has a runtime of its own, so that nothing is left over from one call to the next. It is current on the thread
//! while its future is polled or dropped.

mod clock;
mod waker;

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use kippu_executor::{Executor, TaskOptions};
use wasip3::clocks::monotonic_clock;

use self::clock::{Alarm, Clock};
use self::waker::{Bell, Flag};
use super::Inner;
use super::current::{Enter, try_with};
use crate::block_on::BlockOnError;
use crate::driver::Driver;
use crate::driver::wasi_p3::Op;
use crate::macros_rt::MainResult;
use crate::single::Single;
use crate::termination::{ExitCode, Termination, of_main};
use crate::time::now_ns;

/// How many tasks are polled before timers are looked at.
const BATCH: usize = 256;
/// For how long tasks are polled before the host gets its turn, in ns. What the host does in between costs some µs.
const SLICE: u64 = 100_000;
/// The same as a number of batches, for hosts whose clock stands still.
const BATCHES: usize = 64;

thread_local! {
    /// How many there are in this instance.
    static RUNTIMES: Cell<usize> = const { Cell::new(0) };
    static MAIN: Cell<Main> = const { Cell::new(Main::NotAsked) };
}

/// Who else could wake a runtime's tasks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// Nobody: the instance runs this and nothing else.
    None,
    /// Other calls of the instance, also later ones: by a channel in a static, say.
    Calls,
}

/// The runtime of one call of an export. [`run`](Self::run) and [`run_rest`](Self::run_rest) turn it, one after the other, both within
/// the same task of the component model.
///
/// Dropping it drops all its tasks.
pub(crate) struct Runtime {
    inner: Rc<Inner>,
    bell: Arc<Bell>,
    others: Others,
    /// Its future is turned by `wit_bindgen::block_on`, which does not give the host a turn when there is more to do.
    blocks: bool,
}

impl Runtime {
    pub(crate) fn new(others: Others) -> Runtime {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        RUNTIMES.set(RUNTIMES.get() + 1);
        let bell = Arc::new(Bell::default());
        let executor = Executor::new(Waker::from(bell.clone()));
        let inner = Rc::new(Inner { executor, driver: Driver::new(), id });
        Runtime { inner, bell, others, blocks: false }
    }

    /// Runs tasks until `future`, which is none of them, is complete. Other tasks stay when it returns.
    ///
    /// # Errors
    /// [`BlockOnError::WouldDeadlock`] when nothing can ever wake the future.
    ///
    /// # Cancellation
    /// Dropping it drops `future`, while the runtime is current.
    pub(crate) async fn run<F: Future>(&self, future: F) -> Result<F::Output, BlockOnError> {
        let mut root = pin!(Inside { inner: self.inner.clone(), future: Some(future) });
        let flag = Arc::new(Flag::new(self.bell.clone()));
        let waker = Waker::from(flag.clone());
        // Beside ours and the waker's there are those that the future has given away.
        let is_awaited = || Arc::strong_count(&flag) > 2;
        self.turn(is_awaited, || {
            if !flag.take() {
                return Poll::Pending;
            }
            match root.as_mut().project().future.as_pin_mut() {
                Some(future) => future.poll(&mut Context::from_waker(&waker)),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// [`run`](Self::run) for a future that shall be one of the tasks, with this name.
    pub(crate) async fn run_task<F>(
        &self,
        name: &'static str,
        future: F,
    ) -> Result<F::Output, BlockOnError>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let task = self.inner.executor.spawn_with(TaskOptions::new().name(name), future);
        match self.run(task).await? {
            Ok(output) => Ok(output),
            Err(error) => match error.try_into_panic() {
                Ok(payload) => std::panic::resume_unwind(payload),
                Err(_) => unreachable!("nobody cancels a task whose handle is awaited"),
            },
        }
    }

    /// Runs the tasks that are left until all are done, or wait for what never comes.
    pub(crate) async fn run_rest(&self) {
        let executor = &self.inner.executor;
        // A turn would ask the host for the time.
        if executor.live_tasks() == 0 {
            return;
        }
        let is_done = || if executor.live_tasks() == 0 { Poll::Ready(()) } else { Poll::Pending };
        // Tasks that wait for nothing are dropped with the runtime.
        let _ = self.turn(|| false, is_done).await;
    }

    /// Runs tasks and fires timers until `root` is ready, which is asked whenever some have run. `is_awaited` says whether somebody could
    /// wake it.
    async fn turn<T>(
        &self,
        is_awaited: impl Fn() -> bool,
        mut root: impl FnMut() -> Poll<T>,
    ) -> Result<T, BlockOnError> {
        let wait = |deadline| Op::unref(monotonic_clock::wait_until(deadline));
        let mut clock = pin!(Clock::new(wait, &self.bell));
        let _silence = Silence(&self.bell);
        poll_fn(|cx| {
            let _enter = Enter::new(&self.inner);
            self.bell.enter(cx.waker());
            let turned =
                self.inner.driver.turn(|| self.turn_once(&is_awaited, &mut root, clock.as_mut()));
            if self.bell.leave() && turned.is_pending() {
                if self.blocks {
                    wit_bindgen::yield_blocking();
                }
                cx.waker().wake_by_ref();
            }
            turned
        })
        .await
    }

    /// Runs for a while. Pending with the bell rung if there is more to do.
    fn turn_once<T>(
        &self,
        is_awaited: &impl Fn() -> bool,
        root: &mut impl FnMut() -> Poll<T>,
        mut clock: Pin<&mut impl Alarm>,
    ) -> Poll<Result<T, BlockOnError>> {
        let executor = &self.inner.executor;
        let mut started = None;
        for batch in 0..BATCHES {
            // A look at the host's clock costs as much as many tasks, so it is not for nothing.
            let now = (batch > 0 || executor.next_deadline().is_some()).then(now_ns);
            if let Some(now) = now
                && now.saturating_sub(*started.get_or_insert(now)) > SLICE
            {
                break;
            }
            executor.stay_awake();
            if let Some(now) = now {
                executor.fire_timers(now);
            }
            let more = executor.run_ready(BATCH);
            self.bell.answer();
            if let Poll::Ready(output) = root() {
                return Poll::Ready(Ok(output));
            }
            if more || self.bell.is_rung() {
                continue;
            }
            // A deadline that is past is ready at once.
            if clock.as_mut().poll(executor.next_deadline()).is_ready() {
                continue;
            }
            if !self.can_go_on(is_awaited) {
                return Poll::Ready(Err(BlockOnError::would_deadlock(executor)));
            }
            return Poll::Pending;
        }
        self.bell.ring();
        Poll::Pending
    }

    /// Whether anything could make a task or the root runnable.
    fn can_go_on(&self, is_awaited: &impl Fn() -> bool) -> bool {
        let Inner { executor, driver, .. } = &*self.inner;
        let is_alone = self.others == Others::None && RUNTIMES.get() == 1;
        driver.has_outstanding()
            || executor.ref_timers() > 0
            || (!is_alone && (is_awaited() || executor.woken_from_outside()))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        RUNTIMES.set(RUNTIMES.get() - 1);
    }
}

/// Nobody rings a call that is over.
struct Silence<'a>(&'a Bell);

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        self.0.silence();
    }
}

pin_project_lite::pin_project! {
    /// A future that is dropped inside of a runtime.
    struct Inside<F> {
        inner: Rc<Inner>,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Inside<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _enter = Enter::new(this.inner);
            this.future.set(None);
        }
    }
}

/// See [`crate::block_on`]. The host may let only async calls of it wait; it ends the program in others.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output, BlockOnError> {
    if try_with(|_| ()).is_some() {
        return Err(BlockOnError::Nested);
    }
    wit_bindgen::block_on(async {
        let mut runtime = Runtime::new(Others::None);
        runtime.blocks = true;
        runtime.run(future).await
    })
}

/// What `main` is called for.
#[derive(Default)]
enum Main {
    /// By nobody that we know: as the entry of WASI 0.2, which the target wasm32-wasip2 makes.
    #[default]
    NotAsked,
    /// By the export, which waits for its future.
    Asked,
    Given(Single<Pin<Box<dyn Future<Output = ExitCode>>>>),
}

/// What `#[kippu::main]` does: `main` is not run, but given to the export that has asked for it.
pub(crate) fn run_main<F>(future: F) -> MainResult
where
    F: Future + 'static,
    F::Output: Termination + 'static,
{
    match MAIN.take() {
        Main::Asked => {
            let code = async { future.await.report() };
            MAIN.set(Main::Given(Single(Box::pin(code))));
            of_main(ExitCode::SUCCESS)
        }
        _ => {
            // The streams of WASI 0.3 could not be waited for here.
            #[cfg(target_os = "wasi")]
            std::eprintln!(
                "Error: this program is built for WASI 0.3, and the host has run its entry of WASI 0.2; \
                 use a host with wasi:cli/run@0.3, or build it without the feature `wasip3`"
            );
            of_main(ExitCode::FAILURE)
        }
    }
}

/// What the export `wasi:cli/run` does: calls `main`, and runs what it gave. Does not return when the exit code is not one of "success" and
/// "failure", which is all that the result can say.
pub(crate) async fn run_exported_main(main: impl FnOnce()) -> Result<(), ()> {
    crate::sys::panics::report();
    MAIN.set(Main::Asked);
    main();
    let Main::Given(main) = MAIN.take() else { return Err(()) };
    let code = {
        let runtime = Runtime::new(Others::None);
        match runtime.run_task("main", main).await {
            Ok(code) => code,
            Err(error) => {
                crate::eprintln!("Error: {error}");
                ExitCode::FAILURE
            }
        }
    };
    crate::sys::io::finish().await;
    match code {
        ExitCode::SUCCESS => Ok(()),
        ExitCode::FAILURE => Err(()),
        ExitCode(code) => {
            wasip3::cli::exit::exit_with_code(code);
            Err(())
        }
    }
}
