//! Calls of host functions: parameters and results of every shape, order, and what is thrown.

use kippu::HostError;
use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, Instant, sleep};

use crate::data::{echo_string, echo_string_now};
use crate::host::{add, after, double_later, double_now};
use crate::support::{Log, Outcome, cases, failed, holds, poll_once, same, settle};

cases!("calls":
    no_parameters_and_no_result,
    many_parameters_of_many_types,
    names_that_are_words_of_the_languages,
    another_name_for_the_host,
    calls_within_the_arguments_of_calls,
    answers_in_order_of_the_calls,
    a_thenable_is_waited_for,
    a_function_may_answer_in_either_way,
    a_call_may_move_to_another_task,
    a_call_may_wait_until_it_is_polled,
    answers_to_the_dropped_are_ignored,
    a_call_in_a_drop,
    a_call_in_the_drop_of_an_aborted_task,
    a_slow_function_delays_but_loses_nothing,
    calls_from_many_tasks_do_not_mix,
    everything_that_can_be_thrown,
    everything_that_can_be_thrown_at_once,
    errors_pass_through_the_question_mark,
    errors_become_errors_of_io,
    errors_are_values,
    a_function_that_threw_may_be_called_again,
);

#[kippu::host]
fn nothing() {}

#[kippu::host]
async fn nothing_later() {
    yield_now().await;
}

/// Its arguments as text, with `|` between them.
#[kippu::host]
#[expect(clippy::too_many_arguments, reason = "it is about many")]
async fn mixed(
    a: bool,
    b: i8,
    c: &str,
    d: f32,
    e: &[u8],
    f: u32,
    g: Option<u16>,
    h: f64,
    i: String,
    j: (i32, char),
) -> Result<String, HostError> {
    let g = g.map_or("null".to_owned(), |g| g.to_string());
    let e = e.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    Ok(format!("{a}|{b}|{c}|{d}|{e}|{f}|{g}|{h}|{i}|{},{}", j.0, j.1))
}

/// The sum. The parameters are words that JavaScript and the boundary use themselves.
#[kippu::host]
fn function(this: u32, arguments: u32, ticket: u32, memory: u32, default: u32) -> u32 {
    this + arguments + ticket + memory + default
}

/// The negation.
#[kippu::host(name = "aName$OfIts0wn")]
fn renamed(x: i32) -> Result<i32, HostError> {
    Ok(-x)
}

/// `x` from an object with a method `then`.
#[kippu::host]
async fn thenable(x: f64) -> Result<f64, HostError> {
    yield_now().await;
    Ok(x)
}

/// `x`: at once if it is even, else later.
#[kippu::host]
async fn either_way(x: u32) -> Result<u32, HostError> {
    if x % 2 == 1 {
        yield_now().await;
    }
    Ok(x)
}

/// `x` later, also when nobody wants it any more.
#[kippu::host]
async fn regardless(x: u32) -> Result<u32, HostError> {
    yield_now().await;
    Ok(x)
}

/// Takes so many milliseconds before it returns.
#[kippu::host]
fn slow(ms: u32) {
    let start = Instant::now();
    // Small components are built without what sleeps in `std`.
    while start.elapsed() < Duration::from_millis(ms.into()) {
        std::hint::spin_loop();
    }
}

/// Throws something, each number something else.
#[kippu::host]
async fn throws(which: u32) -> Result<(), HostError> {
    yield_now().await;
    thrown(which)
}

/// The same at once.
#[kippu::host]
fn throws_now(which: u32) -> Result<(), HostError> {
    thrown(which)
}

fn thrown(which: u32) -> Result<(), HostError> {
    match THROWN.get(which as usize) {
        Some(&(name, message, code)) => Err(HostError::named(name, message).with_code(code)),
        None => Ok(()),
    }
}

/// What is seen of it: name, message, code.
const THROWN: [(&str, &str, &str); 15] = [
    ("Error", "a text", ""),
    ("Error", "undefined", ""),
    ("Error", "null", ""),
    ("Error", "42", ""),
    ("N", "m", "7"),
    ("TypeError", "t", ""),
    ("AbortError", "aborted", "20"),
    ("AggregateError", "many", ""),
    ("Error", "", ""),
    ("Error", "", ""),
    ("Error", "without a name", ""),
    ("Error", "zu weit 🎫\0end", ""),
    ("Error", "Symbol(s)", ""),
    ("MyError", "of a class", "E_MINE"),
    ("Error", "frozen", ""),
];

async fn no_parameters_and_no_result() -> Outcome {
    nothing();
    nothing_later().await;
    nothing();
    Ok(())
}

async fn many_parameters_of_many_types() -> Outcome {
    let call = mixed(
        true,
        i8::MIN,
        "切 🎫",
        -0.5,
        &[0, 255],
        u32::MAX,
        Some(u16::MAX),
        1.25,
        "own".to_owned(),
        (i32::MIN, 'ß'),
    );
    same(
        call.await.as_deref(),
        Ok("true|-128|切 🎫|-0.5|0,255|4294967295|65535|1.25|own|-2147483648,ß"),
    )?;
    let call = mixed(false, 0, "", 1.5, &[], 0, None, -0.25, String::new(), (0, 'x'));
    same(call.await.as_deref(), Ok("false|0||1.5||0|null|-0.25||0,x"))
}

async fn names_that_are_words_of_the_languages() -> Outcome {
    same(function(1, 2, 3, 4, 5), 15)
}

async fn another_name_for_the_host() -> Outcome {
    same(renamed(7), Ok(-7))
}

async fn calls_within_the_arguments_of_calls() -> Outcome {
    same(add(add(1.0, 2.0), add(3.0, add(4.0, 5.0))), 15.0)?;
    let text = echo_string_now(&echo_string_now("inner").map_err(failed)?).map_err(failed)?;
    let later = echo_string(&echo_string(&text).await.map_err(failed)?).await;
    same(later.as_deref(), Ok("inner"))
}

async fn answers_in_order_of_the_calls() -> Outcome {
    // All are answered at the same moment of the host.
    let log = Log::default();
    let tasks: Vec<_> = (0..10)
        .map(|i| {
            let log = log.clone();
            spawn(async move {
                if let Ok(x) = regardless(i).await {
                    log.add(x);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.map_err(failed)?;
    }
    log.says("0 1 2 3 4 5 6 7 8 9")
}

async fn a_thenable_is_waited_for() -> Outcome {
    same(thenable(1.5).await, Ok(1.5))
}

async fn a_function_may_answer_in_either_way() -> Outcome {
    for x in 0..20 {
        same(either_way(x).await, Ok(x))?;
    }
    let calls: Vec<_> = (0..200).map(|x| spawn(either_way(x))).collect();
    for (x, call) in (0..).zip(calls) {
        same(call.await.map_err(failed)?, Ok(x))?;
    }
    Ok(())
}

async fn a_call_may_move_to_another_task() -> Outcome {
    let mut call = Box::pin(after(10, 3));
    holds(poll_once(&mut call).await.is_pending(), "it is not answered yet")?;
    let other = spawn(call);
    same(other.await.map_err(failed)?, Ok(3))
}

async fn a_call_may_wait_until_it_is_polled() -> Outcome {
    let calls: Vec<_> = (0..10).map(|x| (x, regardless(x))).collect();
    sleep(Duration::from_millis(5)).await;
    for (x, call) in calls.into_iter().rev() {
        same(call.await, Ok(x))?;
    }
    Ok(())
}

async fn answers_to_the_dropped_are_ignored() -> Outcome {
    for round in 0..20 {
        for x in 0..100 {
            let mut call = Box::pin(regardless(x));
            let _ = poll_once(&mut call).await;
        }
        // Their numbers are used again, and none of these may get an answer of those.
        let calls: Vec<_> = (1000..1100).map(|x| spawn(regardless(x + round))).collect();
        for (x, call) in (1000..).zip(calls) {
            same(call.await.map_err(failed)?, Ok(x + round))?;
        }
    }
    Ok(())
}

/// Calls the host when it is dropped.
struct CallsInDrop(Log);

impl Drop for CallsInDrop {
    fn drop(&mut self) {
        self.0.add(add(1.0, 1.0));
        let log = self.0.clone();
        spawn(async move {
            if let Ok(x) = double_later(2.0).await {
                log.add(x);
            }
        })
        .detach();
    }
}

async fn a_call_in_a_drop() -> Outcome {
    let log = Log::default();
    drop(CallsInDrop(log.clone()));
    log.becomes("2 4").await
}

async fn a_call_in_the_drop_of_an_aborted_task() -> Outcome {
    let log = Log::default();
    let (guard, call) = (CallsInDrop(log.clone()), double_later(8.0));
    let task = spawn(async move {
        let _guard = guard;
        // Waits for the host while it is aborted.
        let _ = call.await;
        std::future::pending::<()>().await;
    });
    yield_now().await;
    task.abort();
    holds(task.await.is_err(), "it was aborted")?;
    log.becomes("2 4").await
}

async fn a_slow_function_delays_but_loses_nothing() -> Outcome {
    let log = Log::default();
    let tasks = [3u32, 1, 2].map(|i| {
        let log = log.clone();
        spawn(async move {
            sleep(Duration::from_millis(u64::from(i) * 20)).await;
            log.add(i);
        })
    });
    yield_now().await;
    slow(80);
    log.add("slow");
    for task in tasks {
        task.await.map_err(failed)?;
    }
    log.says("slow 1 2 3")
}

async fn calls_from_many_tasks_do_not_mix() -> Outcome {
    let tasks: Vec<_> = (0..200u32)
        .map(|i| {
            spawn(async move {
                for round in 0..5 {
                    let x = i * 10 + round;
                    let text = x.to_string();
                    if either_way(x).await != Ok(x)
                        || echo_string(&text).await.as_ref() != Ok(&text)
                        || double_now(x.into()).await != Ok(2.0 * f64::from(x))
                    {
                        return false;
                    }
                }
                true
            })
        })
        .collect();
    for (i, task) in tasks.into_iter().enumerate() {
        holds(task.await.map_err(failed)?, &format!("task {i} got another one's answer"))?;
    }
    Ok(())
}

fn seen(which: usize, result: Result<(), HostError>) -> Outcome {
    let error = result.err().ok_or(format!("{which} was not thrown"))?;
    let found = (which, error.name(), error.message(), error.code());
    let (name, message, code) = THROWN[which];
    same(found, (which, name, message, code))
}

async fn everything_that_can_be_thrown() -> Outcome {
    for which in 0..THROWN.len() {
        seen(which, throws(which as u32).await)?;
    }
    same(throws(99).await, Ok(()))
}

async fn everything_that_can_be_thrown_at_once() -> Outcome {
    for which in 0..THROWN.len() {
        seen(which, throws_now(which as u32))?;
    }
    same(throws_now(99), Ok(()))
}

async fn errors_pass_through_the_question_mark() -> Outcome {
    async fn inner() -> Result<u32, Box<dyn std::error::Error>> {
        throws_now(99)?;
        throws(13).await?;
        Ok(1)
    }
    let error = inner().await.err().ok_or("it fails")?;
    same(error.to_string().as_str(), "MyError: of a class")?;
    let error = error.downcast_ref::<HostError>().ok_or("it is the host's error")?;
    same(error.code(), "E_MINE")
}

async fn errors_become_errors_of_io() -> Outcome {
    use std::io::{Error, ErrorKind};
    for (code, kind) in [
        ("ENOENT", ErrorKind::NotFound),
        ("EACCES", ErrorKind::PermissionDenied),
        ("EEXIST", ErrorKind::AlreadyExists),
        ("EPIPE", ErrorKind::BrokenPipe),
        ("", ErrorKind::Other),
    ] {
        let error = Error::from(HostError::named("Error", "what happened").with_code(code));
        same((error.kind(), error.to_string().as_str()), (kind, "Error: what happened"))?;
    }
    Ok(())
}

async fn errors_are_values() -> Outcome {
    let error = HostError::named("RangeError", "too far").with_code("E_FAR");
    same(error.clone(), error.clone())?;
    same(error.to_string().as_str(), "RangeError: too far")?;
    same(HostError::new("plain").name(), "Error")?;
    holds(error != HostError::named("RangeError", "too far"), "the code counts")
}

async fn a_function_that_threw_may_be_called_again() -> Outcome {
    for _ in 0..500 {
        holds(throws(3).await.is_err() && throws_now(5).is_err(), "they throw")?;
        same(double_now(2.0).await, Ok(4.0))?;
    }
    settle().await;
    Ok(())
}
