//! The tasks as `kippu_dump` gives them to the host (section 2 of `abi/spec.md`).

use kippu_executor::{TaskInfo, TaskState, WaitsFor};

use crate::strings::{push_text, push_varint};

/// A varint count, then four strings for each task.
pub(crate) fn encode(tasks: &[TaskInfo], now_ns: u64) -> Vec<u8> {
    let mut out = Vec::new();
    push_varint(&mut out, tasks.len());
    for task in tasks {
        push_text(&mut out, task.name.unwrap_or_default());
        push_text(&mut out, &task.location.to_string());
        push_text(
            &mut out,
            match task.state {
                TaskState::Running => "running",
                TaskState::Scheduled => "runnable",
                TaskState::Waiting => "waiting",
            },
        );
        push_text(&mut out, &waits_for(task.waits_for, now_ns));
    }
    out
}

/// As the host's readers want it: a deadline on the guest's clock would tell them nothing.
fn waits_for(wait: WaitsFor, now_ns: u64) -> String {
    let WaitsFor::Timer(deadline) = wait else { return wait.to_string() };
    let ms = deadline.saturating_sub(now_ns).div_ceil(1_000_000);
    let mut text = String::from("a timer, due in ");
    text.push_str(&ms.to_string());
    text.push_str(" ms");
    text
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;

    fn decode(mut bytes: &[u8]) -> Vec<[String; 4]> {
        let count = take::<u32>(&mut bytes);
        let tasks = (0..count).map(|_| std::array::from_fn(|_| take::<String>(&mut bytes))).collect();
        assert!(bytes.is_empty());
        tasks
    }

    fn take<'a, T: serde::Deserialize<'a>>(bytes: &mut &'a [u8]) -> T {
        let (value, rest) = postcard::take_from_bytes(bytes).unwrap();
        *bytes = rest;
        value
    }

    #[test]
    fn it_is_what_the_page_says() {
        let location = Location::caller();
        let place = location.to_string();
        let task = |name, state, waits_for| TaskInfo { name, location, state, waits_for };
        let tasks = [
            task(None, TaskState::Running, WaitsFor::Unknown),
            task(Some("größer"), TaskState::Scheduled, WaitsFor::Ticket("fetch_row")),
            task(Some("t"), TaskState::Waiting, WaitsFor::Timer(2_000_001)),
            task(Some("late"), TaskState::Waiting, WaitsFor::Timer(3)),
            task(Some("j"), TaskState::Waiting, WaitsFor::Task(location)),
        ];
        assert_eq!(
            decode(&encode(&tasks, 1_000_000)),
            [
                ["", place.as_str(), "running", "a wake"],
                ["größer", &place, "runnable", "fetch_row"],
                ["t", &place, "waiting", "a timer, due in 2 ms"],
                ["late", &place, "waiting", "a timer, due in 0 ms"],
                ["j", &place, "waiting", &format!("the task spawned at {place}")],
            ]
        );
    }

    #[test]
    fn lengths_of_more_than_seven_bits_are_varints() {
        let location = Location::caller();
        let name: &'static str = "n".repeat(300).leak();
        let task = TaskInfo {
            name: Some(name),
            location,
            state: TaskState::Waiting,
            waits_for: WaitsFor::Unknown,
        };
        let tasks = decode(&encode(&vec![task; 200], 0));
        assert_eq!(tasks.len(), 200);
        assert!(tasks.iter().all(|task| task[0] == name));
    }
}
