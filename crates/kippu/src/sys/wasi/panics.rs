//! What becomes of a panic's message.

/// Lets panics tell their message and place on standard error, where std has none: on wasm32-unknown-unknown. On wasm32-wasip2 std
/// tells them.
pub(crate) fn report() {
    #[cfg(all(target_os = "unknown", feature = "panic-report"))]
    std::panic::set_hook(Box::new(|info| {
        let payload = info.payload_as_str().unwrap_or("a panic whose payload is not a string");
        let text = match info.location() {
            Some(location) => format!("panicked at {location}:\n{payload}\n"),
            None => format!("panicked:\n{payload}\n"),
        };
        // There is nobody left to tell of an error.
        let _ = crate::sys::io::print(crate::io::Output::Stderr, text.as_bytes());
    }));
}
