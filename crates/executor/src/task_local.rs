//! Task-locals: values that go with a future instead of with a thread. After the idea of tokio's
//! `task_local!`.
//!
//! A [`Scope`] owns its value while nobody polls it. For the time of a poll, or of the drop of its future, the
//! value is exchanged with what lies in a thread-local; a guard exchanges them again, also when a panic
//! passes. Readers borrow what lies there. A scope that is entered inside a reader finds it borrowed, and puts its
//! value on top of it instead; only this allocates.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell, RefMut};
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::thread;

use pin_project_lite::pin_project;

std::thread_local! {
    /// How many runs of executors this thread is in, one inside another. A scope is seen only from its own level.
    static LEVEL: Cell<usize> = const { Cell::new(0) };
}

/// Where thread-locals are destroyed with their thread, this one may be gone at its end: then there is one level.
#[inline]
fn level() -> usize {
    LEVEL.try_with(Cell::get).unwrap_or(0)
}

/// Declares task-locals: statics of type [`LocalKey`](crate::LocalKey). Needs the feature `std`.
///
/// # Examples
/// ```
/// kippu_executor::task_local! {
///     /// Of the request that this task works for.
///     pub static REQUEST_ID: u64;
///     static USER: String;
/// }
///
/// let length = USER.sync_scope("ada".into(), || USER.with(|user| user.len()));
/// assert_eq!(length, 3);
/// assert!(REQUEST_ID.try_with(|_| ()).is_err());
/// ```
#[macro_export]
macro_rules! task_local {
    ($($(#[$attribute:meta])* $visibility:vis static $name:ident: $value:ty);* $(;)?) => {$(
        $(#[$attribute])*
        $visibility static $name: $crate::LocalKey<$value> = {
            $crate::__private::thread_local! {
                static FRAMES: $crate::__private::Frames<$value> =
                    const { $crate::__private::Frames::new() };
            }
            $crate::LocalKey::__new(
                $crate::__private::concat!(
                    $crate::__private::module_path!(),
                    "::",
                    $crate::__private::stringify!($name)
                ),
                FRAMES,
            )
        };
    )*};
}

/// What `task_local!` expands to. Not part of the API.
#[doc(hidden)]
pub mod __private {
    pub use super::Frames;
    pub use core::{concat, module_path, stringify};
    pub use std::thread_local;
}

/// A task-local, declared by [`task_local!`](crate::task_local). There is a value while a [`scope`](Self::scope)
/// of it is polled or dropped, or a [`sync_scope`](Self::sync_scope) runs; the innermost one counts.
///
/// Tasks do not inherit values: a task sees what its own scopes have set, and nothing from the task that
/// spawned it, by whichever method, or from whoever turns the executor. Code that is called sees the values of its
/// caller, so an executor of another crate that is run inside a poll lets its tasks see them.
///
/// # Examples
/// What a new task shall have is handed on to it:
/// ```
/// # use kippu_executor::Executor;
/// kippu_executor::task_local! { static REQUEST_ID: u64; }
///
/// # let executor = std::rc::Rc::new(Executor::new(std::task::Waker::noop().clone()));
/// # let weak = std::rc::Rc::downgrade(&executor);
/// let parent = executor.spawn(REQUEST_ID.scope(7, async move {
/// #   let executor = weak.upgrade().unwrap();
///     let without = executor.spawn(async { REQUEST_ID.try_with(|id| *id).ok() });
///     let with = executor.spawn(REQUEST_ID.scope(REQUEST_ID.get(), async { REQUEST_ID.get() }));
///     (without.await.unwrap(), with.await.unwrap())
/// }));
/// executor.run_ready(usize::MAX);
/// # use futures_util::FutureExt;
/// assert!(matches!(parent.now_or_never(), Some(Ok((None, 7)))));
/// ```
pub struct LocalKey<T: 'static> {
    name: &'static str,
    frames: thread::LocalKey<Frames<T>>,
}

impl<T: 'static> LocalKey<T> {
    /// For `task_local!` alone.
    #[doc(hidden)]
    pub const fn __new(name: &'static str, frames: thread::LocalKey<Frames<T>>) -> Self {
        LocalKey { name, frames }
    }

    /// Gives `future` a value, which is there in each of its polls and while it is dropped, and nowhere else:
    /// not between its polls, nor for what it spawns.
    ///
    /// The value goes with the future from thread to thread. It is dropped with the [`Scope`], after
    /// the future.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// kippu_executor::task_local! { static DEPTH: u32; }
    ///
    /// let executor = Executor::new(std::task::Waker::noop().clone());
    /// let task = executor.spawn(DEPTH.scope(1, async {
    ///     let inner = DEPTH.scope(2, async { DEPTH.get() }).await;
    ///     (DEPTH.get(), inner)
    /// }));
    /// executor.run_ready(usize::MAX);
    /// # use futures_util::FutureExt;
    /// assert!(matches!(task.now_or_never(), Some(Ok((1, 2)))));
    /// ```
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> Scope<T, F> {
        Scope { key: self, value: Some(value), future: Some(future) }
    }

    /// Runs `f` with a value, and drops the value after it.
    ///
    /// # Panics
    /// When `f` does; the value that was there before is back then. Also while the thread ends, when its thread-locals
    /// have been destroyed.
    ///
    /// # Examples
    /// ```
    /// kippu_executor::task_local! { static USER: &'static str; }
    ///
    /// let names = USER.sync_scope("ada", || {
    ///     let inner = USER.sync_scope("grace", || USER.get());
    ///     (USER.get(), inner)
    /// });
    /// assert_eq!(names, ("ada", "grace"));
    /// ```
    #[track_caller]
    pub fn sync_scope<R>(&'static self, value: T, f: impl FnOnce() -> R) -> R {
        let mut value = Some(value);
        let _entered = self.enter_or_panic(&mut value);
        f()
    }

    /// Runs `f` with a reference to the value. `f` may do as it likes: use this and other keys, make scopes of
    /// them and leave these; the reference goes on to show the same value.
    ///
    /// # Panics
    /// When there is no value here; see [`try_with`](Self::try_with).
    ///
    /// # Examples
    /// ```
    /// kippu_executor::task_local! { static USER: String; }
    ///
    /// USER.sync_scope("ada".to_owned(), || {
    ///     assert!(USER.with(|user| user.starts_with('a')));
    /// });
    /// ```
    #[track_caller]
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        match self.try_with(f) {
            Ok(result) => result,
            Err(error) => panic!("{error}"),
        }
    }

    /// Like [`with`](Self::with), where there may be no value.
    ///
    /// # Errors
    /// When no scope of this key is being polled, dropped or run here; `f` is not called then.
    ///
    /// # Examples
    /// ```
    /// kippu_executor::task_local! { static REQUEST_ID: u64; }
    ///
    /// let shown = || REQUEST_ID.try_with(u64::to_string).unwrap_or("none".into());
    /// assert_eq!(shown(), "none");
    /// assert_eq!(REQUEST_ID.sync_scope(7, shown), "7");
    /// ```
    #[inline]
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        let result = self.frames.try_with(|frames| frames.read(f)).ok().flatten();
        result.ok_or(AccessError { name: self.name })
    }

    /// A clone of the value.
    ///
    /// # Panics
    /// When there is no value here; see [`try_with`](Self::try_with).
    ///
    /// # Examples
    /// ```
    /// kippu_executor::task_local! { static REQUEST_ID: u64; }
    ///
    /// assert_eq!(REQUEST_ID.sync_scope(7, || REQUEST_ID.get()), 7);
    /// ```
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// Lends `value` to this thread for as long as the guard lives. `None`, and the value stays, when the thread ends
    /// and its thread-locals have been destroyed.
    #[inline]
    fn enter<'a>(&'static self, value: &'a mut Option<T>) -> Option<Entered<'a, T>> {
        let outer = self.frames.try_with(|frames| frames.enter(value)).ok()?;
        Some(Entered { key: self, value, outer })
    }

    #[inline]
    #[track_caller]
    fn enter_or_panic<'a>(&'static self, value: &'a mut Option<T>) -> Entered<'a, T> {
        match self.enter(value) {
            Some(entered) => entered,
            None => panic!("scope of the task-local {} entered at the end of a thread", self.name),
        }
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Says that a task-local has no value here. Made by [`LocalKey::try_with`].
///
/// # Examples
/// ```
/// mod server {
///     kippu_executor::task_local! { pub static USER: String; }
/// }
///
/// let error = server::USER.try_with(|_| ()).unwrap_err();
/// assert!(error.to_string().contains("server::USER has no value here"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessError {
    name: &'static str,
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name;
        write!(
            f,
            "the task-local {name} has no value here: give one to the future with {name}.scope"
        )
    }
}

impl core::error::Error for AccessError {}

pin_project! {
    /// A future with the value of a task-local. Made by [`LocalKey::scope`].
    ///
    /// It is `Send` if value and future are. Dropping it, at any time, drops the future with the value set, and then
    /// the value. A future that is ready is dropped in the same way at once, before its output is given.
    ///
    /// # Panics
    /// Polling panics after the output has been given, and while the thread ends, when its thread-locals have been
    /// destroyed. (A drop then goes without the value being set.) A panic of the future passes through.
    ///
    /// # Examples
    /// ```
    /// use futures_util::FutureExt;
    /// use std::future::Ready;
    ///
    /// kippu_executor::task_local! { static USER: String; }
    ///
    /// type Named = kippu_executor::Scope<String, Ready<u8>>;
    /// let scope: Named = USER.scope("ada".into(), std::future::ready(5));
    /// assert_eq!(scope.now_or_never(), Some(5));
    /// ```
    #[must_use = "futures do nothing unless awaited"]
    pub struct Scope<T, F>
    where
        T: 'static,
    {
        key: &'static LocalKey<T>,
        // While it is lent to the thread, what lay there before.
        value: Option<T>,
        // `None` once it is ready.
        #[pin]
        future: Option<F>,
    }

    impl<T, F> PinnedDrop for Scope<T, F>
    where
        T: 'static,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _entered = this.key.enter(this.value);
                this.future.set(None);
            }
        }
    }
}

impl<T: 'static, F: Future> Future for Scope<T, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            panic!("polled a scope of the task-local {} after it was ready", this.key.name);
        };
        let _entered = this.key.enter_or_panic(this.value);
        let poll = future.poll(cx);
        if poll.is_ready() {
            this.future.set(None);
        }
        poll
    }
}

impl<T: 'static, F> fmt::Debug for Scope<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("key", &self.key.name)
            .field("ready", &self.future.is_none())
            .finish_non_exhaustive()
    }
}

/// What one key has on one thread. Public only for `task_local!`.
#[doc(hidden)]
pub struct Frames<T> {
    lowest: RefCell<Frame<T>>,
    /// On top of it, those that were entered while the frame below was borrowed.
    higher: RefCell<Vec<Rc<RefCell<Frame<T>>>>>,
}

/// Where the value of an entered scope lies.
struct Frame<T> {
    value: Option<T>,
    level: usize,
}

impl<T> Frame<T> {
    const EMPTY: Self = Frame { value: None, level: 0 };

    /// The value, unless it belongs to a task around the one that asks.
    #[inline]
    fn seen(&self) -> Option<&T> {
        self.value.as_ref().filter(|_| self.level == level())
    }

    #[inline]
    fn exchange(&mut self, value: &mut Option<T>, level: usize) -> usize {
        mem::swap(&mut self.value, value);
        mem::replace(&mut self.level, level)
    }
}

/// What [`Frames::leave`] has to restore.
#[derive(Clone, Copy)]
enum Outer {
    /// The frame had another value, of this level.
    Level(usize),
    /// The frame is one on top.
    Below,
}

impl<T> Frames<T> {
    #[allow(clippy::new_without_default, reason = "`task_local!` needs a const fn")]
    pub const fn new() -> Self {
        Frames { lowest: RefCell::new(Frame::EMPTY), higher: RefCell::new(Vec::new()) }
    }

    /// The lowest frame, if nobody reads it. Then there are no higher ones, as readers enclose them.
    #[inline]
    fn unread(&self) -> Option<RefMut<'_, Frame<T>>> {
        self.lowest.try_borrow_mut().ok()
    }

    /// The topmost frame, if it is not the lowest.
    #[cold]
    fn top(&self) -> Option<Rc<RefCell<Frame<T>>>> {
        self.higher.borrow().last().cloned()
    }

    #[inline]
    fn read<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        let top = if self.unread().is_some() { None } else { self.top() };
        let frame = top.as_deref().unwrap_or(&self.lowest).borrow();
        frame.seen().map(f)
    }

    /// Makes `value` the current one. What it leaves there is for [`leave`](Self::leave).
    #[inline]
    fn enter(&self, value: &mut Option<T>) -> Outer {
        match self.unread() {
            Some(mut frame) => Outer::Level(frame.exchange(value, level())),
            None => self.enter_while_read(value),
        }
    }

    #[cold]
    fn enter_while_read(&self, value: &mut Option<T>) -> Outer {
        if let Some(top) = self.top()
            && let Ok(mut frame) = top.try_borrow_mut()
        {
            return Outer::Level(frame.exchange(value, level()));
        }
        let frame = Frame { value: value.take(), level: level() };
        self.higher.borrow_mut().push(Rc::new(RefCell::new(frame)));
        Outer::Below
    }

    /// Undoes the last [`enter`](Self::enter). Its readers have ended, as they run inside the scope.
    #[inline]
    fn leave(&self, value: &mut Option<T>, outer: Outer) {
        match (self.unread(), outer) {
            (Some(mut frame), Outer::Level(level)) => _ = frame.exchange(value, level),
            _ => self.leave_while_read(value, outer),
        }
    }

    #[cold]
    fn leave_while_read(&self, value: &mut Option<T>, outer: Outer) {
        let top = self.top().expect("the lowest frame was borrowed when the scope was entered");
        match outer {
            Outer::Level(level) => _ = top.borrow_mut().exchange(value, level),
            Outer::Below => {
                *value = top.borrow_mut().value.take();
                let _empty = self.higher.borrow_mut().pop();
            }
        }
    }
}

/// An entered scope. When it is dropped, the value is back at its owner, and that of the outer scope in its place.
struct Entered<'a, T: 'static> {
    key: &'static LocalKey<T>,
    value: &'a mut Option<T>,
    outer: Outer,
}

impl<T: 'static> Drop for Entered<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // It is there: `enter` has found it, and no thread destroys its thread-locals inside a scope.
        let _ended = self.key.frames.try_with(|frames| frames.leave(self.value, self.outer));
    }
}

/// While it lives, scopes that were entered before it are not seen on this thread: an executor that
/// polls or drops tasks is not part of the task around it.
pub(crate) struct Hidden {
    /// It belongs to its thread.
    _local: PhantomData<*const ()>,
}

impl Hidden {
    pub(crate) fn new() -> Self {
        let _ended = LEVEL.try_with(|level| level.set(level.get() + 1));
        Hidden { _local: PhantomData }
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ended = LEVEL.try_with(|level| level.set(level.get() - 1));
    }
}
