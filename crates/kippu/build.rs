//! Says which kind of host the program is for, as one of four cfgs, and what some of them have in common.
//!
//! | cfg | host |
//! |---|---|
//! | `kippu_native` | an operating system |
//! | `kippu_js` | a JavaScript engine: wasm32-unknown-unknown |
//! | `kippu_p2` | WASI 0.2: wasm32-wasip2, and wasm32-unknown-unknown with the feature `wasip2` |
//! | `kippu_p3` | WASI 0.3: every wasm target with the feature `wasip3` |
//! | `kippu_wasi` | WASI 0.2 or 0.3 |
//! | `kippu_parks` | the driver waits itself: an operating system or WASI 0.2 |

use std::env;

fn main() {
    let is = |key: &str, value: &str| env::var(key).is_ok_and(|found| found == value);
    let has = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    let cfgs: &[&str] = if !is("CARGO_CFG_TARGET_ARCH", "wasm32") {
        &["kippu_native", "kippu_parks"]
    } else if has("WASIP3") {
        &["kippu_p3", "kippu_wasi"]
    } else if has("WASIP2") || is("CARGO_CFG_TARGET_OS", "wasi") {
        &["kippu_p2", "kippu_wasi", "kippu_parks"]
    } else {
        &["kippu_js"]
    };
    for known in ["native", "js", "p2", "p3", "wasi", "parks"] {
        println!("cargo::rustc-check-cfg=cfg(kippu_{known})");
    }
    for cfg in cfgs {
        println!("cargo::rustc-cfg={cfg}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
