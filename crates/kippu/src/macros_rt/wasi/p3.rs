//! Exports of WASI 0.3.

/// Exports `wasi:cli/run`. The target wasm32-wasip2 exports that of WASI 0.2 besides, by itself.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_main {
    ($main:ident) => {
        #[allow(clippy::main_recursion, reason = "the host calls this, not `main`")]
        const _: () = {
            struct Run;

            impl $crate::__rt::wasip3::exports::cli::run::Guest for Run {
                async fn run() -> ::core::result::Result<(), ()> {
                    $crate::__rt::run_exported_main(|| {
                        let _ = $main();
                    })
                    .await
                }
            }

    $crate::__rt::wasip3::cli::command::export!(Run with_types_in $crate::__rt::wasip3);
        };
    };
}

/// What `wasi:cli/run` does.
pub async fn run_exported_main(main: impl FnOnce()) -> Result<(), ()> {
    crate::rt::run_exported_main(main).await
}
