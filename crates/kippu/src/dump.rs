//! The tasks as `kippu_dump` gives them to the host (section 2 of `abi/spec.md`).

use std::panic::Location;

use kippu_executor::{TaskInfo, TaskState, WaitsFor};

use crate::strings::{push_text, push_varint};

/// A varint count, then four strings for each task. Put together by hand, as formatting would bring std's formatter
/// into small guests.
pub(crate) fn encode(tasks: &[TaskInfo], now_ns: u64) -> Vec<u8> {
    let mut out = Vec::new();
    push_varint(&mut out, tasks.len());
    for task in tasks {
        push_text(&mut out, task.name.unwrap_or_default());
        push_place(&mut out, "", task.location);
        push_text(
            &mut out,
            match task.state {
                TaskState::Running => "running",
                TaskState::Scheduled => "runnable",
                TaskState::Waiting => "waiting",
            },
        );
        match task.waits_for {
            WaitsFor::Unknown => push_text(&mut out, "a wake"),
            WaitsFor::Ticket(operation) => push_text(&mut out, operation),
            // A deadline on the guest's clock would tell the reader nothing.
            WaitsFor::Timer(deadline) => {
                let ms = deadline.saturating_sub(now_ns).div_ceil(1_000_000);
                push_parts(&mut out, &["a timer, due in ", digits(ms, &mut [0; 20]), " ms"]);
            }
            WaitsFor::Task(location) => push_place(&mut out, "the task spawned at ", location),
        }
    }
    out
}

/// file:line:column.
fn push_place(out: &mut Vec<u8>, before: &str, location: &Location<'_>) {
    let line = &mut [0; 20];
    let column = &mut [0; 20];
    let line = digits(location.line().into(), line);
    push_parts(
        out,
        &[before, location.file(), ":", line, ":", digits(location.column().into(), column)],
    );
}

/// One string, in parts.
fn push_parts(out: &mut Vec<u8>, parts: &[&str]) {
    push_varint(out, parts.iter().map(|part| part.len()).sum());
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn digits(mut value: u64, buffer: &mut [u8; 20]) -> &str {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return str::from_utf8(&buffer[at..]).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(mut bytes: &[u8]) -> Vec<[String; 4]> {
        let count = take::<u32>(&mut bytes);
        let tasks =
            (0..count).map(|_| std::array::from_fn(|_| take::<String>(&mut bytes))).collect();
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
