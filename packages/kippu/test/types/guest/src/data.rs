//! The types.

use std::collections::{BTreeMap, BTreeSet};

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Numbers and text.
#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) struct Scalars {
    pub(crate) flag: bool,
    pub(crate) small: (i8, u8, i16, u16),
    pub(crate) medium: (i32, u32),
    pub(crate) large: (i64, u64),
    pub(crate) huge: (i128, u128),
    pub(crate) real: (f32, f64),
    pub(crate) letter: char,
    pub(crate) text: String,
    pub(crate) r#type: (),
}

/// Everything that may be given in more forms than it is got.
#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) struct Config {
    pub(crate) name: Name,
    pub(crate) retries: Option<u32>,
    pub(crate) nested: Option<Option<u64>>,
    pub(crate) tags: Vec<String>,
    pub(crate) ids: BTreeSet<u16>,
    pub(crate) data: Vec<u8>,
    pub(crate) key: [u8; 4],
    pub(crate) samples: [f32; 16],
    pub(crate) limits: BTreeMap<Name, u64>,
    pub(crate) shapes: BTreeMap<u32, Vec<Shape>>,
    pub(crate) marker: Marker,
    pub(crate) empty: Empty,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Schema)]
pub(crate) struct Name(pub(crate) String);

#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) struct Pair(pub(crate) u8, pub(crate) String);

#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) struct Marker;

#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) struct Empty {}

/// Every kind of variant.
#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) enum Shape {
    Point,
    Circle(f64),
    Line(i16, u16),
    Rect { w: u32, h: i64 },
    Pair(Pair),
    Nothing(),
}

#[derive(Clone, Copy, Serialize, Deserialize, Schema)]
pub(crate) enum Level {
    Low,
    #[serde(rename = "very high")]
    High,
}

/// A generic type has one name, whatever it holds.
#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<Box<Cursor>>,
}

#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) struct Cursor {
    pub(crate) at: u64,
}

/// Only ever given.
#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) struct Query {
    pub(crate) text: Option<String>,
    pub(crate) levels: Vec<Level>,
}

/// Names that TypeScript, or the file itself, has already.
#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) struct Map {
    pub(crate) host: Host,
    pub(crate) list: List,
}

#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) struct Host {
    pub(crate) port: u16,
}

#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) struct List(pub(crate) Vec<String>);
