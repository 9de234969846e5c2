//! Sends spans and events to the host (section "Tracing" of `abi/spec.md`).

use std::fmt::{self, Write};
use std::io;

use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::driver::js::abi::trace;
use crate::strings::push_text;

const PROBE: i32 = 0;
const NEW: i32 = 1;
const FIELDS: i32 = 2;
const ENTER: i32 = 3;
const EXIT: i32 = 4;
const CLOSE: i32 = 5;
const EVENT: i32 = 6;

/// The host keeps the file.
#[derive(Debug)]
pub(super) struct File;

pub(super) fn recording() -> bool {
    trace(PROBE, 0, &[])
}

pub(super) fn layer() -> io::Result<Option<(HostLayer, File)>> {
    Ok(recording().then_some((HostLayer, File)))
}

pub(super) struct HostLayer;

/// The registry numbers spans by places in a table of usize, so 32 bits hold them.
fn number(id: &Id) -> u32 {
    id.into_u64() as u32
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for HostLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let mut strings = Strings::of(attributes.metadata());
        attributes.record(&mut strings);
        trace(NEW, number(id), &strings.0);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut strings = Strings(Vec::new());
        values.record(&mut strings);
        trace(FIELDS, number(id), &strings.0);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut strings = Strings::of(event.metadata());
        event.record(&mut strings);
        trace(EVENT, 0, &strings.0);
    }

    fn on_enter(&self, id: &Id, _: Context<'_, S>) {
        trace(ENTER, number(id), &[]);
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        trace(EXIT, number(id), &[]);
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        trace(CLOSE, number(&id), &[]);
    }
}

/// Name, target, level and place, then fields: a name and a value each.
struct Strings(Vec<u8>);

impl Strings {
    fn of(metadata: &Metadata<'_>) -> Strings {
        let mut strings = Strings(Vec::new());
        strings.push(metadata.name());
        strings.push(metadata.target());
        strings.push(metadata.level().as_str());
        let mut place = metadata.file().unwrap_or_default().to_owned();
        if let Some(line) = metadata.line() {
            write!(place, ":{line}").ok();
        }
        strings.push(&place);
        strings
    }

    fn push(&mut self, text: &str) {
        push_text(&mut self.0, text);
    }
}

impl Visit for Strings {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field.name());
        self.push(value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.record_str(field, &value.to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
