//! Around code of users, which may panic.

use alloc::boxed::Box;
use core::any::Any;

pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs `f`, which is code of users, then `then` with what came of it. Whether a panic stops here or
/// passes on, `then` runs: what must follow user code stands in it.
#[cfg(feature = "std")]
pub(crate) fn catch<T, R>(f: impl FnOnce() -> T, then: impl FnOnce(Result<T, Payload>) -> R) -> R {
    // A future that panicked is never polled again, so broken invariants inside it stay inside.
    then(std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)))
}

/// Without `std` a panic cannot be stopped: `then` runs while it passes.
#[cfg(not(feature = "std"))]
pub(crate) fn catch<T, R>(f: impl FnOnce() -> T, then: impl FnOnce(Result<T, Payload>) -> R) -> R {
    struct Passing<F: FnOnce()>(Option<F>);
    impl<F: FnOnce()> Drop for Passing<F> {
        fn drop(&mut self) {
            if let Some(panicked) = self.0.take() {
                panicked();
            }
        }
    }
    // Of the two who may call it only one ever does.
    let then = core::cell::Cell::new(Some(then));
    let mut passing = Passing(Some(|| {
        if let Some(then) = then.take() {
            then(Err(Box::new("panicked")));
        }
    }));
    let result = f();
    passing.0 = None;
    drop(passing);
    let then = then.take().expect("nobody has called it");
    then(Ok(result))
}

/// Lets a caught panic go on, unless another one is on its way.
#[cfg(feature = "std")]
pub(crate) fn resume(payload: Payload) {
    if std::thread::panicking() {
        discard(payload);
    } else {
        std::panic::resume_unwind(payload);
    }
}

/// Drops a payload that nobody will see. Its drop may panic in its turn, and so may the drop of
/// what comes out of that, which is not worth another round: it is leaked.
#[cfg(feature = "std")]
pub(crate) fn discard(payload: Payload) {
    catch(|| drop(payload), |dropped| core::mem::forget(dropped.err()));
}

/// Without `std` it is a text of ours, see `catch`.
#[cfg(not(feature = "std"))]
pub(crate) fn discard(payload: Payload) {
    drop(payload);
}

/// Without `std` it has not been stopped.
#[cfg(not(feature = "std"))]
pub(crate) fn resume(_payload: Payload) {}
