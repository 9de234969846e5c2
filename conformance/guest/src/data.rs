//! Values of every kind, there and back.

use std::collections::BTreeMap;

use kippu::HostError;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::support::{Outcome, cases, same};

cases!("data":
    numbers,
    floats,
    booleans,
    strings,
    large_strings,
    bytes,
    large_bytes,
    structs,
    enums,
    options_and_maps,
    big_integers,
);

#[kippu::host]
fn echo_i8(x: i8) -> Result<i8, HostError> {
    Ok(x)
}

#[kippu::host]
fn echo_u8(x: u8) -> Result<u8, HostError> {
    Ok(x)
}

#[kippu::host]
async fn echo_i16(x: i16) -> Result<i16, HostError> {
    Ok(x)
}

#[kippu::host]
async fn echo_u16(x: u16) -> Result<u16, HostError> {
    Ok(x)
}

#[kippu::host]
fn echo_i32(x: i32) -> Result<i32, HostError> {
    Ok(x)
}

#[kippu::host]
async fn echo_u32(x: u32) -> Result<u32, HostError> {
    Ok(x)
}

#[kippu::host]
fn echo_f32(x: f32) -> Result<f32, HostError> {
    Ok(x)
}

#[kippu::host]
async fn echo_f64(x: f64) -> Result<f64, HostError> {
    Ok(x)
}

#[kippu::host]
fn echo_bool(x: bool) -> Result<bool, HostError> {
    Ok(x)
}

#[kippu::host]
pub(crate) async fn echo_string(x: &str) -> Result<String, HostError> {
    Ok(x.to_owned())
}

#[kippu::host]
pub(crate) fn echo_string_now(x: &str) -> Result<String, HostError> {
    Ok(x.to_owned())
}

#[kippu::host]
pub(crate) async fn echo_bytes(x: &[u8]) -> Result<Vec<u8>, HostError> {
    Ok(x.to_vec())
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
struct Person {
    name: String,
    age: u8,
    scores: Vec<f64>,
    friends: Vec<Person2>,
    photo: Vec<u8>,
    place: (f32, i32),
    initial: char,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
struct Person2 {
    name: String,
    nickname: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
enum Shape {
    Point,
    Circle(f64),
    Line(i16, u16),
    Rect { w: u32, h: u32 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Schema)]
struct Big {
    unsigned: u64,
    signed: i64,
    wide: u128,
    small: u64,
}

#[kippu::host]
async fn echo_person(x: &Person) -> Result<Person, HostError> {
    Ok(x.clone())
}

#[kippu::host]
fn echo_shapes(x: Vec<Shape>) -> Result<Vec<Shape>, HostError> {
    Ok(x)
}

#[kippu::host]
async fn echo_map(
    x: BTreeMap<String, Option<i32>>,
) -> Result<BTreeMap<String, Option<i32>>, HostError> {
    Ok(x)
}

#[kippu::host]
async fn echo_option(x: Option<String>) -> Result<Option<String>, HostError> {
    Ok(x)
}

#[kippu::host]
async fn echo_big(x: Big) -> Result<Big, HostError> {
    Ok(x)
}

async fn numbers() -> Outcome {
    for x in [i8::MIN, -1, 0, 1, i8::MAX] {
        same(echo_i8(x), Ok(x))?;
    }
    for x in [0, 1, 128, u8::MAX] {
        same(echo_u8(x), Ok(x))?;
    }
    for x in [i16::MIN, -1, 0, i16::MAX] {
        same(echo_i16(x).await, Ok(x))?;
    }
    for x in [0, 0x8000, u16::MAX] {
        same(echo_u16(x).await, Ok(x))?;
    }
    for x in [i32::MIN, -1, 0, i32::MAX] {
        same(echo_i32(x), Ok(x))?;
    }
    for x in [0, 1, 0x8000_0000, u32::MAX] {
        same(echo_u32(x).await, Ok(x))?;
    }
    Ok(())
}

async fn floats() -> Outcome {
    for x in [0.0, -0.5, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY] {
        same(echo_f32(x), Ok(x))?;
    }
    for x in [0.0, -0.1, f64::MAX, f64::MIN_POSITIVE, f64::NEG_INFINITY, 9_007_199_254_740_993.0] {
        same(echo_f64(x).await, Ok(x))?;
    }
    same(echo_f64(f64::NAN).await.map(f64::is_nan), Ok(true))?;
    same(echo_f64(-0.0).await.map(f64::is_sign_negative), Ok(true))
}

async fn booleans() -> Outcome {
    same(echo_bool(true), Ok(true))?;
    same(echo_bool(false), Ok(false))
}

async fn strings() -> Outcome {
    for x in [
        "",
        "a",
        "twenty bytes of text",
        "zwölf Boxkämpfer",
        "切符 🎫",
        "nul\0inside",
        "\u{feff}bom",
    ] {
        same(echo_string(x).await, Ok(x.to_owned()))?;
        same(echo_string_now(x), Ok(x.to_owned()))?;
    }
    Ok(())
}

async fn large_strings() -> Outcome {
    for len in [63, 64, 65, 1000, 16_384, 16_385, 100_000] {
        let x: String = "aé切🎫".chars().cycle().take(len).collect();
        same(echo_string(&x).await, Ok(x.clone()))?;
        let x = "x".repeat(len);
        same(echo_string_now(&x), Ok(x))?;
    }
    Ok(())
}

async fn bytes() -> Outcome {
    for x in [vec![], vec![0], vec![255; 3], (0..=255).collect::<Vec<u8>>()] {
        same(echo_bytes(&x).await, Ok(x))?;
    }
    Ok(())
}

async fn large_bytes() -> Outcome {
    for len in [16_383, 16_384, 16_385, 65_536, 4 << 20] {
        let x: Vec<u8> =
            (0..len).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let found = echo_bytes(&x).await;
        same(found == Ok(x), true)?;
    }
    Ok(())
}

async fn structs() -> Outcome {
    let person = Person {
        name: "Ada 切".into(),
        age: 36,
        scores: vec![1.5, -2.0, 1e300],
        friends: vec![
            Person2 { name: "Charles".into(), nickname: None },
            Person2 { name: String::new(), nickname: Some("x".into()) },
        ],
        photo: vec![1, 2, 255],
        place: (0.5, -7),
        initial: '🎫',
    };
    same(echo_person(&person).await, Ok(person))
}

async fn enums() -> Outcome {
    let shapes = vec![
        Shape::Point,
        Shape::Circle(2.5),
        Shape::Line(-3, 60_000),
        Shape::Rect { w: 1, h: u32::MAX },
    ];
    same(echo_shapes(shapes.clone()), Ok(shapes))
}

async fn options_and_maps() -> Outcome {
    let map: BTreeMap<String, Option<i32>> =
        [("a".to_owned(), Some(-1)), ("ключ".to_owned(), None)].into_iter().collect();
    same(echo_map(map.clone()).await, Ok(map))?;
    same(echo_option(None).await, Ok(None))?;
    same(echo_option(Some(String::new())).await, Ok(Some(String::new())))
}

async fn big_integers() -> Outcome {
    let big = Big { unsigned: u64::MAX, signed: i64::MIN, wide: u128::MAX - 1, small: 7 };
    same(echo_big(big.clone()).await, Ok(big))
}
