//! How many operations of the host the tasks of a runtime wait for, whoever has started them.
//!
//! A program may import interfaces of its own, and await the futures that wit-bindgen makes for them. These know their task of the
//! component model by a C interface of wit-bindgen's (`wasip3_task_set`), which all its versions share: an operation that becomes pending
//! clones the current task's handle, and drops it when it ends. While our tasks are polled, a [`Watch`] stands for that task: it counts the
//! handles, and leaves all else to the real one. So a runtime can tell a deadlock from a wait for what it does not know.

#![allow(unsafe_code, reason = "a C interface of wit-bindgen's")]

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::future::Future;
use std::marker::PhantomData;
use std::ptr;
use std::rc::Rc;

/// Called by the real task when the operation of a waitable has ended.
type Callback = unsafe extern "C" fn(callback_ptr: *mut c_void, code: u32);
type Register = unsafe extern "C" fn(*mut c_void, u32, Callback, *mut c_void) -> *mut c_void;
type Unregister = unsafe extern "C" fn(*mut c_void, u32) -> *mut c_void;
type Spawn = unsafe fn(*mut c_void, Box<dyn Future<Output = ()>>);

/// The first version that has a vtable, still without the field `spawn`.
const V2: u32 = 2;
/// The first version that has all of `Vtable`.
const V3: u32 = 3;

/// `wasip3_task` of wit-bindgen's C interface.
#[repr(C)]
struct Task {
    version: u32,
    ptr: *mut c_void,
    register: Register,
    unregister: Unregister,
    /// Since version 2. One of version 2 ends with the field `drop`.
    vtable: *const Vtable,
}

/// `wasip3_task_vtable_v3` of wit-bindgen's C interface.
#[repr(C)]
struct Vtable {
    register: Register,
    unregister: Unregister,
    clone: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    drop: unsafe extern "C" fn(*mut c_void),
    /// Since version 3.
    spawn: Option<Spawn>,
}

#[expect(improper_ctypes, reason = "wit-bindgen has a function of Rust's in its vtable")]
unsafe extern "C" {
    /// Sets the current task, and gives the one before.
    fn wasip3_task_set(task: *mut Task) -> *mut Task;
}

/// A handle of the real task, and how many operations have one of ours.
struct Counted {
    ptr: *mut c_void,
    vtable: *const Vtable,
    version: u32,
    operations: Cell<usize>,
    /// An operation of wit-bindgen's first version of the interface became pending: it has no handle that could be counted.
    has_uncountable: Cell<bool>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        // SAFETY: `ptr` is a clone of the task's handle, owned by this, and the vtable is a static.
        unsafe { ((*self.vtable).drop)(self.ptr) }
    }
}

/// Counts the operations that tasks of a runtime wait for.
pub(super) struct Watch {
    counted: RefCell<Option<Rc<Counted>>>,
}

impl Watch {
    pub(super) const fn new() -> Watch {
        Watch { counted: RefCell::new(None) }
    }

    /// Whether operations are pending, or have ended and were not polled since.
    pub(super) fn has_operations(&self) -> bool {
        let counted = self.counted.borrow();
        counted.as_ref().is_some_and(|it| it.operations.get() > 0 || it.has_uncountable.get())
    }

    /// Operations that become pending while `poll` runs are counted.
    pub(super) fn counted<R>(&self, poll: impl FnOnce() -> R) -> R {
        let Some(counted) = self.count_for_current() else { return poll() };
        let mut task = Task {
            version: counted.version.min(V3),
            ptr: Rc::as_ptr(&counted).cast_mut().cast(),
            register,
            unregister,
            vtable: if counted.version >= V3 { &VTABLE } else { &VTABLE_V2 },
        };
        let _current = Current::set(&mut task);
        poll()
    }

    /// `None` when there is no task, or one whose handles cannot be cloned.
    fn count_for_current(&self) -> Option<Rc<Counted>> {
        let (version, ptr, vtable) = with_current(|task| (task.version, task.ptr, task.vtable))?;
        if version < V2 {
            return None;
        }
        let known = self.counted.borrow().clone().filter(|counted| counted.ptr == ptr);
        if known.is_some() {
            return known;
        }
        // SAFETY: it is the current task's own vtable, a static, which it has since this version, and its own handle.
        let ptr = unsafe { ((*vtable).clone)(ptr) };
        let (operations, has_uncountable) = (Cell::new(0), Cell::new(false));
        let counted = Rc::new(Counted { ptr, vtable, version, operations, has_uncountable });
        let before = self.counted.replace(Some(counted.clone()));
        drop(before);
        Some(counted)
    }
}

/// Operations that become pending while `poll` runs are not counted, by no [`Watch`].
pub(super) fn uncounted<R>(poll: impl FnOnce() -> R) -> R {
    let real = with_current(|task| {
        let is_ours = ptr::eq(task.vtable, &VTABLE) || ptr::eq(task.vtable, &VTABLE_V2);
        is_ours.then(|| {
            // SAFETY: with our vtable it is one that `Watch::counted` has made, which points to a live `Counted`; its vtable is a static.
            unsafe {
                let counted = &*task.ptr.cast::<Counted>();
                Task {
                    version: counted.version,
                    ptr: counted.ptr,
                    register: (*counted.vtable).register,
                    unregister: (*counted.vtable).unregister,
                    vtable: counted.vtable,
                }
            }
        })
    });
    let Some(Some(mut real)) = real else { return poll() };
    let _current = Current::set(&mut real);
    poll()
}

/// `None` when there is no current task.
fn with_current<R>(f: impl FnOnce(&Task) -> R) -> Option<R> {
    let current = Current::set_to(ptr::null_mut());
    // SAFETY: whoever made it current keeps it alive until it is no more, which is after this function.
    let task = unsafe { current.before.as_ref() };
    task.map(f)
}

/// Makes a task current, and the one before it again when dropped.
struct Current<'a> {
    before: *mut Task,
    _task: PhantomData<&'a mut Task>,
}

impl<'a> Current<'a> {
    fn set(task: &'a mut Task) -> Current<'a> {
        Current::set_to(task)
    }

    fn set_to(task: *mut Task) -> Current<'a> {
        // SAFETY: `task` is null, or lives as long as `self`, which makes another one current.
        let before = unsafe { wasip3_task_set(task) };
        Current { before, _task: PhantomData }
    }
}

impl Drop for Current<'_> {
    fn drop(&mut self) {
        // SAFETY: whoever made the task before current is still around this.
        unsafe { wasip3_task_set(self.before) };
    }
}

static VTABLE: Vtable = Vtable { register, unregister, clone, drop: release, spawn: Some(spawn) };
static VTABLE_V2: Vtable = Vtable { register, unregister, clone, drop: release, spawn: None };

// What wit-bindgen's operations call. `ptr` is the one of a `Task` made by `Watch::counted` while it is current, or one that
// `clone` gave and `release` has not got back: it points to a live `Counted`.

unsafe extern "C" fn register(
    ptr: *mut c_void,
    waitable: u32,
    callback: Callback,
    callback_ptr: *mut c_void,
) -> *mut c_void {
    // SAFETY: see above; what the caller owes the real task for its waitable and callback, it owes us.
    unsafe {
        let counted = &*ptr.cast::<Counted>();
        if counted.operations.get() == 0 {
            counted.has_uncountable.set(true);
        }
        ((*counted.vtable).register)(counted.ptr, waitable, callback, callback_ptr)
    }
}

unsafe extern "C" fn unregister(ptr: *mut c_void, waitable: u32) -> *mut c_void {
    // SAFETY: as in `register`.
    unsafe {
        let counted = &*ptr.cast::<Counted>();
        ((*counted.vtable).unregister)(counted.ptr, waitable)
    }
}

unsafe extern "C" fn clone(ptr: *mut c_void) -> *mut c_void {
    let counted = ptr.cast::<Counted>().cast_const();
    // SAFETY: see above; `Rc::as_ptr` gave it, which is the pointer of `Rc::into_raw`, and the `Rc` is alive.
    unsafe {
        Rc::increment_strong_count(counted);
        (*counted).operations.set((*counted).operations.get() + 1);
    }
    ptr
}

unsafe extern "C" fn release(ptr: *mut c_void) {
    // SAFETY: see above; `clone` has made one count for the caller, which gives it back.
    let counted = unsafe { Rc::from_raw(ptr.cast::<Counted>().cast_const()) };
    counted.operations.set(counted.operations.get() - 1);
}

unsafe fn spawn(ptr: *mut c_void, future: Box<dyn Future<Output = ()>>) {
    // SAFETY: see above; this vtable is given only for a real task that has this function, if with nothing in it.
    let (spawn, ptr) = unsafe {
        let counted = &*ptr.cast::<Counted>();
        ((*counted.vtable).spawn, counted.ptr)
    };
    let Some(spawn) = spawn else {
        panic!(
            "this task runs without wit-bindgen's feature `async-spawn`; use kippu::task::spawn"
        );
    };
    // SAFETY: it is the real task's own function and handle.
    unsafe { spawn(ptr, future) }
}
