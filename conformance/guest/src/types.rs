//! Types of every kind that serde knows, and host functions that take and give them.

use std::collections::{BTreeMap, BTreeSet};

use kippu::HostError;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
pub(crate) struct Integers {
    pub(crate) a: (u8, i8),
    pub(crate) b: (u16, i16),
    pub(crate) c: (u32, i32),
    pub(crate) d: (u64, i64),
    pub(crate) e: (u128, i128),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Schema)]
pub(crate) struct Floats {
    pub(crate) single: f32,
    pub(crate) double: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
pub(crate) struct Unit;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
pub(crate) struct Nothing {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
pub(crate) struct Meters(pub(crate) f64);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
pub(crate) struct Pair(pub(crate) i16, pub(crate) String);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
pub(crate) struct Structs {
    pub(crate) unit: Unit,
    pub(crate) nothing: Nothing,
    pub(crate) newtype: Meters,
    pub(crate) nested: Vec<Meters>,
    pub(crate) pair: Pair,
    pub(crate) none: (),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
pub(crate) enum Leaf {
    Nothing,
    Text(String),
    Two(i8, char),
    Named { left: u64, right: Option<bool> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
pub(crate) enum Tree {
    Empty,
    One(Leaf),
    Unit(Unit),
    Several(Leaf, Vec<Leaf>, [Leaf; 2]),
    Named { leaf: Box<Leaf>, by_name: BTreeMap<String, Leaf>, maybe: Option<Leaf> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
pub(crate) struct Options {
    pub(crate) none: Option<u8>,
    pub(crate) some: Option<u8>,
    pub(crate) list: Vec<Option<String>>,
    pub(crate) tuple: Option<(Option<i32>, f64)>,
    pub(crate) strukt: Option<Meters>,
    pub(crate) map: BTreeMap<String, Option<Vec<Option<bool>>>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
pub(crate) struct Collections {
    pub(crate) list: Vec<u32>,
    pub(crate) lists: Vec<Vec<String>>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) many_bytes: Vec<Vec<u8>>,
    pub(crate) array: [u16; 3],
    pub(crate) octets: [u8; 4],
    pub(crate) texts: BTreeMap<String, String>,
    pub(crate) numbers: BTreeMap<u32, String>,
    pub(crate) signed: BTreeMap<i64, bool>,
    pub(crate) letters: BTreeMap<char, u8>,
    pub(crate) set: BTreeSet<String>,
    pub(crate) boxed: Box<Pair>,
    pub(crate) text: String,
}

impl Collections {
    pub(crate) fn empty() -> Self {
        Collections {
            list: vec![],
            lists: vec![],
            bytes: vec![],
            many_bytes: vec![],
            array: [0; 3],
            octets: [0; 4],
            texts: BTreeMap::new(),
            numbers: BTreeMap::new(),
            signed: BTreeMap::new(),
            letters: BTreeMap::new(),
            set: BTreeSet::new(),
            boxed: Box::new(Pair(0, String::new())),
            text: String::new(),
        }
    }
}

pub(crate) type Tuples = ((u8,), (bool, char), [(i32, String); 2], [[f32; 2]; 2]);
pub(crate) type Results = Vec<Result<u32, String>>;

#[kippu::host]
pub(crate) async fn echo_integers(x: Integers) -> Result<Integers, HostError> {
    Ok(x)
}

#[kippu::host]
pub(crate) async fn echo_floats(x: Floats) -> Result<Floats, HostError> {
    Ok(x)
}

#[kippu::host]
pub(crate) fn echo_char(x: char) -> Result<char, HostError> {
    Ok(x)
}

#[kippu::host]
pub(crate) fn echo_structs(x: Structs) -> Result<Structs, HostError> {
    Ok(x)
}

#[kippu::host]
pub(crate) async fn echo_trees(x: Vec<Tree>) -> Result<Vec<Tree>, HostError> {
    Ok(x)
}

#[kippu::host]
pub(crate) async fn echo_options(x: &Options) -> Result<Options, HostError> {
    Ok(x.clone())
}

#[kippu::host]
pub(crate) fn echo_results(x: Results) -> Result<Results, HostError> {
    Ok(x)
}

#[kippu::host]
pub(crate) fn echo_tuples(x: Tuples) -> Result<Tuples, HostError> {
    Ok(x)
}

#[kippu::host]
pub(crate) async fn echo_collections(x: &Collections) -> Result<Collections, HostError> {
    Ok(x.clone())
}

/// What `JSON.stringify` says of the value.
#[kippu::host]
pub(crate) fn json_of_tree(x: &Tree) -> Result<String, HostError> {
    json(x)
}

#[kippu::host]
pub(crate) fn json_of_options(x: &Options) -> Result<String, HostError> {
    json(x)
}

#[kippu::host]
pub(crate) fn json_of_structs(x: &Structs) -> Result<String, HostError> {
    json(x)
}

fn json(value: &impl Serialize) -> Result<String, HostError> {
    serde_json::to_string(value).map_err(|error| HostError::new(error.to_string()))
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
pub(crate) struct Loose {
    pub(crate) from_set: Vec<u32>,
    pub(crate) from_map: BTreeMap<String, u8>,
    pub(crate) from_number: u64,
    pub(crate) from_bigint: u64,
    pub(crate) from_buffer: Vec<u8>,
    pub(crate) from_array: Vec<u8>,
    pub(crate) from_view: Vec<f32>,
    pub(crate) from_undefined: Option<bool>,
    pub(crate) absent: Option<bool>,
}

/// The same value from a `Set`, a `Map`, a number, a bigint, an `ArrayBuffer`, and so on.
#[kippu::host]
pub(crate) fn loose() -> Result<Loose, HostError> {
    Ok(Loose {
        from_set: vec![3, 1, 2],
        from_map: [("b".to_owned(), 2), ("a".to_owned(), 1)].into_iter().collect(),
        from_number: 9_007_199_254_740_991,
        from_bigint: u64::MAX,
        from_buffer: vec![1, 2, 255],
        from_array: vec![0, 128],
        from_view: vec![0.5, -1.5],
        from_undefined: None,
        absent: None,
    })
}

/// Gives something that is no `Structs`, each number something else.
#[kippu::host]
pub(crate) async fn misfit(which: u32) -> Result<Structs, HostError> {
    Err(HostError::named("TypeError", format!("natively there are no wrong types: {which}")))
}

/// How many kinds of misfits there are.
pub(crate) const MISFITS: u32 = 12;
