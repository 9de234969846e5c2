//! Runs `abi/vectors.json`, which the npm package runs too.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use postcard_schema::Schema;
use postcard_schema::schema::NamedType;
use postcard_schema::schema::owned::OwnedNamedType;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::HostError;
use crate::driver::record::{Record, Said};
use crate::section::{Entry, Type};

fn vectors(list: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../../../abi/vectors.json")).unwrap();
    file[list].as_array().unwrap().clone()
}

fn unhex(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn errors() {
    /// The error as it is written, and as it is read: never without a name.
    fn error(vector: &Value) -> [HostError; 2] {
        let part = |name: &str| text(&vector[name]);
        let written = part("name");
        let read = if written.is_empty() { "Error".to_owned() } else { written.clone() };
        let causes = vector.get("cause").map(error);
        let mut i = 0;
        [written, read].map(|name| {
            let error = HostError::from_parts(name, part("message"), part("stack"), part("code"));
            i += 1;
            match &causes {
                Some(causes) => error.with_cause(causes[i - 1].clone()),
                None => error,
            }
        })
    }
    for vector in vectors("errors") {
        let [written, read] = error(&vector);
        assert_eq!(written.to_bytes(), unhex(&vector["hex"]));
        assert_eq!(HostError::from_bytes(&unhex(&vector["hex"])), read);
    }
}

#[test]
fn records() {
    for vector in vectors("records") {
        let bytes = unhex(&vector["hex"]);
        let word = |i: usize| u32::from_le_bytes(bytes[i..i + 4].try_into().unwrap());
        let value = u64::from_le_bytes(bytes[8..16].try_into().unwrap());
        let record = Record { ticket: word(0), tag: word(4), value };
        assert_eq!(u64::from(record.ticket), vector["ticket"].as_u64().unwrap());
        let tag = vector["tag"].as_u64().unwrap();
        let expected = match &vector["value"] {
            Value::Null => Said::Unit,
            value if value.get("number").is_some() => {
                Said::Number(value["number"].as_f64().unwrap())
            }
            value => Said::Bytes {
                at: u32::try_from(value["at"].as_u64().unwrap()).unwrap(),
                len: u32::try_from(value["len"].as_u64().unwrap()).unwrap(),
                owned: tag & 32 != 0,
                error: tag & 16 != 0,
            },
        };
        assert_eq!(record.said(), expected);
    }
}

#[test]
fn records_of_unknown_kinds_are_recognised() {
    for tag in [3, 15, 17, 16, 48] {
        assert_eq!(Record { ticket: 0, tag, value: 0 }.said(), Said::Unknown, "tag {tag}");
    }
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// The schema that `owned` is a copy of, among the types of this file.
fn schema_of(owned: &OwnedNamedType) -> &'static NamedType {
    let known: [&'static NamedType; 2] = [User::SCHEMA, <Option<Vec<Shape>>>::SCHEMA];
    let all = known.into_iter().chain([Shape::SCHEMA, <Vec<Shape>>::SCHEMA, <Vec<User>>::SCHEMA]);
    let mut all = all.chain([<Option<User>>::SCHEMA, Point::SCHEMA]);
    all.find(|schema| OwnedNamedType::from(*schema) == *owned)
        .unwrap_or_else(|| panic!("no type of this test has the schema {owned:?}"))
}

#[test]
fn section_entries() {
    fn ty(value: &Value) -> Type {
        if let Some(code) = value.as_u64() {
            Type::Code(u8::try_from(code).unwrap())
        } else if let Some(item) = value.get("stream") {
            Type::Stream(leak_one(ty(item)))
        } else if let Some(item) = value.get("numbers") {
            Type::Numbers(leak_one(ty(item)))
        } else {
            schema(value)
        }
    }
    fn leak_one(ty: Type) -> &'static Type {
        Box::leak(Box::new(ty))
    }
    fn schema(value: &Value) -> Type {
        Type::Schema(schema_of(&postcard::from_bytes(&unhex(&value["schema"])).unwrap()))
    }
    let string = |value: &Value| -> &'static str { leak(text(value)) };
    for vector in vectors("section") {
        let entry = &vector["entry"];
        if entry.is_null() {
            // An entry of a later version: nothing that this crate writes.
            continue;
        }
        let params = entry["params"].as_array().unwrap();
        let params: Vec<_> =
            params.iter().map(|param| (string(&param[0]), ty(&param[1]))).collect();
        let entry = Entry {
            kind: u8::try_from(entry["kind"].as_u64().unwrap()).unwrap(),
            is_async: entry["async"].as_bool().unwrap(),
            name: string(&entry["name"]),
            doc: string(&entry["doc"]),
            params: leak(params),
            result: ty(&entry["result"]),
        };
        let expected = unhex(&vector["hex"]);
        assert_eq!(entry.size(), expected.len());
        // The writer wants the size at compile time; larger is fine, but for the length in front.
        let bytes: [u8; 4096] = entry.bytes();
        assert_eq!(bytes[4..expected.len()], expected[4..]);
        assert_eq!(expected[..4], (expected.len() as u32 - 4).to_le_bytes());
    }
}

#[derive(Debug, Serialize, Deserialize, Schema)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(Debug, Serialize, Deserialize, Schema)]
struct Meters(f64);

#[derive(Debug, Serialize, Deserialize, Schema)]
struct Pair(u8, String);

#[derive(Debug, Serialize, Deserialize, Schema)]
struct Nothing;

#[derive(Debug, Serialize, Deserialize, Schema)]
enum Shape {
    Empty,
    Circle(f64),
    Line(Point, Point),
    Rect { width: u32, height: u32 },
}

// Schemas follow the field names of Rust, not serde's; this one has a name with a dash by hand.
#[derive(Debug, Serialize, Deserialize)]
struct User {
    id: u64,
    name: String,
    #[serde(rename = "e-mail")]
    email: Option<String>,
    tags: Vec<String>,
    home: Option<Point>,
    shape: Shape,
}

impl Schema for User {
    const SCHEMA: &'static NamedType = &NamedType {
        name: "User",
        ty: &postcard_schema::schema::DataModelType::Struct(&[
            &field("id", u64::SCHEMA),
            &field("name", String::SCHEMA),
            &field("e-mail", <Option<String>>::SCHEMA),
            &field("tags", <Vec<String>>::SCHEMA),
            &field("home", <Option<Point>>::SCHEMA),
            &field("shape", Shape::SCHEMA),
        ]),
    };
}

const fn field(name: &'static str, ty: &'static NamedType) -> postcard_schema::schema::NamedValue {
    postcard_schema::schema::NamedValue { name, ty }
}

#[derive(Debug, Serialize, Deserialize, Schema)]
struct Request {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

#[derive(Debug, Serialize, Deserialize, Schema)]
struct Metadata {
    kind: u8,
    len: f64,
    modified_ms: f64,
}

/// Whether a value of Rust's, as serde_json or else `Debug` shows it, is the one of the vector.
fn same(found: &Value, debug: &str, expected: &Value) -> bool {
    match (found, expected) {
        (_, Value::Object(object)) if object.contains_key("$bigint") => debug == object["$bigint"],
        (_, Value::Object(object)) if object.contains_key("$number") => {
            debug
                == object["$number"]
                    .as_str()
                    .unwrap()
                    .replace("Infinity", "inf")
                    .replace("-0", "-0.0")
        }
        (Value::Array(found), Value::Object(object)) if object.contains_key("$bytes") => {
            let bytes: Vec<Value> = unhex(&object["$bytes"]).into_iter().map(Value::from).collect();
            *found == bytes
        }
        (Value::Object(found), Value::Object(object)) if object.contains_key("$map") => {
            let pairs = object["$map"].as_array().unwrap();
            found.len() == pairs.len()
                && pairs.iter().all(|pair| found.get(&pair[0].to_string()) == Some(&pair[1]))
        }
        (Value::Object(found), Value::Object(expected)) => {
            found.len() == expected.len()
                && expected.iter().all(|(key, value)| {
                    found.get(key).is_some_and(|found| same(found, debug, value))
                })
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(f, e)| same(f, debug, e))
        }
        (Value::Number(found), Value::Number(expected)) => found.as_f64() == expected.as_f64(),
        (found, expected) => found == expected,
    }
}

fn check<T: Schema + Serialize + DeserializeOwned + Debug>(vector: &Value) {
    let name = &vector["type"];
    assert_eq!(postcard::to_allocvec(T::SCHEMA).unwrap(), unhex(&vector["schema"]), "{name}");
    for case in vector["cases"].as_array().unwrap() {
        let bytes = unhex(&case["hex"]);
        let value: T = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(postcard::to_allocvec(&value).unwrap(), bytes, "{name}: {value:?}");
        let json = serde_json::to_value(&value).unwrap_or_default();
        assert!(
            same(&json, &format!("{value:?}"), &case["value"]),
            "{name}: {value:?} is not {}",
            case["value"]
        );
    }
}

#[test]
fn values() {
    for vector in vectors("postcard") {
        let name = text(&vector["type"]);
        let check = match name.split(" {").next().unwrap() {
            "bool" => check::<bool>,
            "i8" => check::<i8>,
            "u8" => check::<u8>,
            "i16" => check::<i16>,
            "u16" => check::<u16>,
            "i32" => check::<i32>,
            "u32" => check::<u32>,
            "i64" => check::<i64>,
            "u64" => check::<u64>,
            "i128" => check::<i128>,
            "u128" => check::<u128>,
            "f32" => check::<f32>,
            "f64" => check::<f64>,
            "char" => check::<char>,
            "String" => check::<String>,
            "()" => check::<()>,
            "Option<u32>" => check::<Option<u32>>,
            "Vec<u8>" => check::<Vec<u8>>,
            "Vec<i32>" => check::<Vec<i32>>,
            "Vec<String>" => check::<Vec<String>>,
            "Vec<Option<bool>>" => check::<Vec<Option<bool>>>,
            "[u8; 3]" => check::<[u8; 3]>,
            "(u8, String)" => check::<(u8, String)>,
            "BTreeMap<String, u32>" => check::<BTreeMap<String, u32>>,
            "BTreeMap<u8, String>" => check::<BTreeMap<u8, String>>,
            "Result<u32, String>" => check::<Result<u32, String>>,
            "Duration" => check::<Duration>,
            "Point" => check::<Point>,
            "Meters(f64)" => check::<Meters>,
            "Pair(u8, String)" => check::<Pair>,
            "Nothing" => check::<Nothing>,
            "Shape" => check::<Shape>,
            "User" => check::<User>,
            "Request" => check::<Request>,
            "Metadata" => check::<Metadata>,
            _ => panic!("a vector of a type that this test does not know: {name}"),
        };
        check(&vector);
    }
}
