//! Sets `kippu_js` for guests of JavaScript hosts: wasm32-unknown-unknown.

use std::env;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(kippu_js)");
    let is = |key: &str, value: &str| env::var(key).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_ARCH", "wasm32") && is("CARGO_CFG_TARGET_OS", "unknown") {
        println!("cargo::rustc-cfg=kippu_js");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
