//! Exports of WASI 0.2.

/// Exports `wasi:cli/run`. The target wasm32-wasip2 does it by itself.
#[cfg(target_os = "unknown")]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_main {
    ($main:ident) => {
        #[allow(clippy::main_recursion, reason = "the host calls this, not `main`")]
        const _: () = {
            struct Run;

            impl $crate::__rt::wasip2::exports::cli::run::Guest for Run {
                fn run() -> ::core::result::Result<(), ()> {
                    $main()
                }
            }

    $crate::__rt::wasip2::cli::command::export!(Run with_types_in $crate::__rt::wasip2);
        };
    };
}

#[cfg(target_os = "wasi")]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_main {
    ($main:ident) => {};
}
