//! How the cases are done on each executor.

pub mod async_executor;
pub mod async_task;
pub mod compio;
pub mod floor;
pub mod futures;
pub mod kippu;
pub mod tokio;
