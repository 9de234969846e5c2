//! The program as its users run it, natively and as WebAssembly on Node: every scenario runs on both, and both
//! must print the same, byte by byte.

mod files;
mod interrupt;
mod limits;
mod pages;
mod support;
mod terminal;
mod usage;
