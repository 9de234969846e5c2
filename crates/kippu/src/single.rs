//! What is safe only because there is one thread.

#![allow(unsafe_code, reason = "Send and Sync where there is nobody to send to")]

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

#[cfg(target_feature = "atomics")]
compile_error!("WASI 0.2 and 0.3 have no threads; build without the target feature `atomics`");

/// Makes what it holds `Send` and `Sync`. On WASI the bindings' futures are not, although there is no other thread that they could be sent
/// to, and a program that asks for `Send` (axum's handlers do) shall compile on every host.
#[derive(Debug, Default)]
pub(crate) struct Single<T>(pub(crate) T);

// SAFETY: this module exists on WASI only, without the feature `atomics` (checked above): such a program has one thread, so nothing is ever sent
// to or shared with another.
unsafe impl<T> Send for Single<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Single<T> {}

impl<T> Deref for Single<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Single<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<F: Future> Future for Single<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: a projection to the only field, which is never moved out of a pinned `Single`: it has no `Drop`, and `Unpin` only if the field
        // has.
        unsafe { self.map_unchecked_mut(|this| &mut this.0) }.poll(cx)
    }
}
