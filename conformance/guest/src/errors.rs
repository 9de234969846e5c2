//! Errors with their causes, and values that do not fit.

use std::error::Error;

use kippu::HostError;

use crate::support::{Outcome, cases, failed, same};

cases!("errors":
    causes_are_kept,
    causes_have_names_and_codes,
    a_cause_that_is_no_error,
    causes_in_a_circle,
    an_error_without_a_cause,
    causes_are_sources,
    what_is_no_number,
    what_is_no_text,
    what_is_no_bytes,
    what_is_no_char,
    what_is_no_boolean,
);

/// Fails with an error that has so many causes, one of another.
#[kippu::host]
async fn fails_with_causes(depth: u32) -> Result<(), HostError> {
    let error =
        |i: u32| HostError::named("RangeError", format!("level {i}")).with_code(format!("E_{i}"));
    let innermost = error(depth);
    Err((0..depth).rev().fold(innermost, |cause, i| error(i).with_cause(cause)))
}

/// Fails with an error whose cause is special: 0 a text, 1 itself, 2 one whose cause is the first, 3 null.
#[kippu::host]
fn fails_with_cause(which: u32) -> Result<(), HostError> {
    let error = HostError::new("outer");
    Err(match which {
        0 => error.with_cause(HostError::new("a text")),
        2 => error.with_cause(HostError::named("TypeError", "inner")),
        _ => error,
    })
}

/// What natively stands for a value that is not of its type.
fn wrong<T>(which: u32) -> Result<T, HostError> {
    Err(HostError::named("TypeError", format!("natively there are no wrong types: {which}")))
}

#[kippu::host]
fn odd_number(which: u32) -> Result<i32, HostError> {
    wrong(which)
}

#[kippu::host]
async fn odd_byte(which: u32) -> Result<u8, HostError> {
    wrong(which)
}

#[kippu::host]
async fn odd_text(which: u32) -> Result<String, HostError> {
    wrong(which)
}

#[kippu::host]
fn odd_bytes(which: u32) -> Result<Vec<u8>, HostError> {
    wrong(which)
}

#[kippu::host]
fn odd_char(which: u32) -> Result<char, HostError> {
    wrong(which)
}

#[kippu::host]
async fn odd_boolean(which: u32) -> Result<bool, HostError> {
    wrong(which)
}

async fn causes_are_kept() -> Outcome {
    for depth in [0, 1, 2, 15] {
        let error = fails_with_causes(depth).await.err().ok_or("it fails")?;
        let mut messages = vec![error.message().to_owned()];
        let mut next = &error;
        while let Some(cause) = next.cause() {
            messages.push(cause.message().to_owned());
            next = cause;
        }
        same(messages, (0..=depth).map(|i| format!("level {i}")).collect())?;
    }
    Ok(())
}

async fn causes_have_names_and_codes() -> Outcome {
    let error = fails_with_causes(2).await.err().ok_or("it fails")?;
    let cause = error.cause().and_then(HostError::cause).ok_or("it has two causes")?;
    let found = (cause.name(), cause.message(), cause.code());
    same(found, ("RangeError", "level 2", "E_2"))
}

fn cause_of(which: u32) -> Result<Option<(String, String)>, String> {
    let error = fails_with_cause(which).err().ok_or("it fails")?;
    same(error.message(), "outer")?;
    let cause = error.cause().map(|cause| (cause.name().to_owned(), cause.message().to_owned()));
    let deeper = error.cause().and_then(HostError::cause);
    same(deeper.map(HostError::message), None)?;
    Ok(cause)
}

async fn a_cause_that_is_no_error() -> Outcome {
    same(cause_of(0)?, Some(("Error".to_owned(), "a text".to_owned())))?;
    same(cause_of(3)?, None)
}

async fn causes_in_a_circle() -> Outcome {
    same(cause_of(1)?, None)?;
    same(cause_of(2)?, Some(("TypeError".to_owned(), "inner".to_owned())))
}

async fn an_error_without_a_cause() -> Outcome {
    same(cause_of(9)?, None)?;
    let error = crate::host::fails("plain").await.err().ok_or("it fails")?;
    same(error.cause().is_none() && error.source().is_none(), true)
}

async fn causes_are_sources() -> Outcome {
    let error = fails_with_causes(1).await.err().ok_or("it fails")?;
    let source = error.source().ok_or("it has a source")?;
    same(source.to_string().as_str(), "RangeError: level 1")?;
    // The text of an error is not that of its causes.
    same(error.to_string().as_str(), "RangeError: level 0")?;
    let again = HostError::new("again").with_cause(error.clone());
    same(again.cause(), Some(&error))?;
    same(failed(&again).as_str(), "Error: again")
}

fn refused<T>(which: u32, result: Result<T, HostError>) -> Outcome {
    let error = result.err().ok_or(format!("{which} was taken"))?;
    same((which, error.name()), (which, "TypeError"))
}

async fn what_is_no_number() -> Outcome {
    for which in 0..12 {
        refused(which, odd_number(which))?;
        refused(which, odd_byte(which).await)?;
    }
    Ok(())
}

async fn what_is_no_text() -> Outcome {
    for which in 0..6 {
        refused(which, odd_text(which).await)?;
    }
    Ok(())
}

async fn what_is_no_bytes() -> Outcome {
    for which in 0..5 {
        refused(which, odd_bytes(which))?;
    }
    Ok(())
}

async fn what_is_no_char() -> Outcome {
    for which in 0..7 {
        refused(which, odd_char(which))?;
    }
    Ok(())
}

async fn what_is_no_boolean() -> Outcome {
    for which in 0..5 {
        refused(which, odd_boolean(which).await)?;
    }
    Ok(())
}
