//! How a program's entries become exports of a component.

#[cfg(kippu_p2)]
mod p2;
#[cfg(kippu_p3)]
mod p3;

#[cfg(kippu_p2)]
pub use wasip2;
#[cfg(kippu_p3)]
pub use {p3::*, wasip3};
