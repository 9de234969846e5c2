//! Values of every type that serde knows, there and back, and how JavaScript sees them.

use std::collections::BTreeMap;

use kippu::HostError;

use crate::support::{Outcome, cases, same};
use crate::types::*;

cases!("values":
    integers_of_every_width,
    integers_around_what_javascript_counts_exactly,
    floats_of_both_widths,
    characters,
    unit_newtype_and_tuple_structs,
    enums_of_all_kinds_of_variants,
    enums_within_enums,
    options_in_every_place,
    results,
    tuples_and_arrays,
    maps_with_keys_of_text,
    maps_with_other_keys,
    keys_that_objects_treat_specially,
    sets_and_boxes,
    empty_collections,
    bytes_in_every_place,
    a_deep_value,
    a_wide_value,
    ten_thousand_values,
    javascript_sees_what_serde_would_write,
    javascript_may_give_other_forms,
    what_does_not_fit_is_a_type_error,
);

async fn integers_of_every_width() -> Outcome {
    let low = Integers {
        a: (0, i8::MIN),
        b: (0, i16::MIN),
        c: (0, i32::MIN),
        d: (0, i64::MIN),
        e: (0, i128::MIN),
    };
    let high = Integers {
        a: (u8::MAX, i8::MAX),
        b: (u16::MAX, i16::MAX),
        c: (u32::MAX, i32::MAX),
        d: (u64::MAX, i64::MAX),
        e: (u128::MAX, i128::MAX),
    };
    let ones = Integers { a: (1, -1), b: (1, -1), c: (1, -1), d: (1, -1), e: (1, -1) };
    for x in [low, high, ones] {
        same(echo_integers(x.clone()).await, Ok(x))?;
    }
    Ok(())
}

async fn integers_around_what_javascript_counts_exactly() -> Outcome {
    let base = Integers { a: (0, 0), b: (0, 0), c: (0, 0), d: (0, 0), e: (0, 0) };
    // Where numbers become bigints, where a zigzag doubles beyond that, and where varints get a byte longer.
    for bits in [7, 8, 13, 14, 15, 21, 28, 31, 32, 33, 49, 51, 52, 53, 54, 56, 62] {
        for offset in -2..=2 {
            let x: i64 = (1 << bits) + offset;
            for signed in [x, -x] {
                let (d, e) = ((x as u64, signed), (x as u128, i128::from(signed)));
                let x = Integers { d, e, ..base.clone() };
                same(echo_integers(x.clone()).await, Ok(x))?;
            }
        }
    }
    for bits in [63, 64, 65, 70, 100, 126] {
        let wide = Integers { e: ((1 << bits) - 1, -(1 << bits)), ..base.clone() };
        same(echo_integers(wide.clone()).await, Ok(wide))?;
    }
    Ok(())
}

async fn floats_of_both_widths() -> Outcome {
    let singles = [
        0.0,
        -0.0,
        1.0,
        0.1,
        f32::MIN,
        f32::MAX,
        f32::EPSILON,
        f32::MIN_POSITIVE,
        f32::from_bits(1),
        -f32::from_bits(0x007f_ffff),
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
    ];
    let doubles = [
        0.0,
        -0.0,
        1.0,
        0.1,
        f64::MIN,
        f64::MAX,
        f64::EPSILON,
        f64::MIN_POSITIVE,
        f64::from_bits(1),
        -f64::from_bits(0x000f_ffff_ffff_ffff),
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    for (single, double) in singles.into_iter().zip(doubles) {
        let Floats { single: s, double: d } =
            echo_floats(Floats { single, double }).await.map_err(|error| error.to_string())?;
        // The bits tell -0 from 0. NaNs may have other ones.
        same((s.is_nan(), d.is_nan()), (single.is_nan(), double.is_nan()))?;
        if !single.is_nan() {
            same((s.to_bits(), d.to_bits()), (single.to_bits(), double.to_bits()))?;
        }
    }
    Ok(())
}

async fn characters() -> Outcome {
    let edges = ['\0', '\x7f', '\u{80}', '\u{7ff}', '\u{800}', '\u{d7ff}', '\u{e000}', '\u{feff}'];
    for x in edges.into_iter().chain(['\u{ffff}', '\u{10000}', '\u{10ffff}', '切', '🎫']) {
        same(echo_char(x), Ok(x))?;
    }
    Ok(())
}

fn structs() -> Structs {
    Structs {
        unit: Unit,
        nothing: Nothing {},
        newtype: Meters(1.5),
        nested: vec![Meters(-0.25), Meters(1e100)],
        pair: Pair(-300, "zwei".to_owned()),
        none: (),
    }
}

async fn unit_newtype_and_tuple_structs() -> Outcome {
    same(echo_structs(structs()), Ok(structs()))
}

fn leaves() -> Vec<Leaf> {
    vec![
        Leaf::Nothing,
        Leaf::Text("切".to_owned()),
        Leaf::Text(String::new()),
        Leaf::Two(-8, '🎫'),
        Leaf::Named { left: u64::MAX, right: Some(false) },
        Leaf::Named { left: 0, right: None },
    ]
}

async fn enums_of_all_kinds_of_variants() -> Outcome {
    let trees: Vec<_> = leaves().into_iter().map(Tree::One).collect();
    same(echo_trees(trees.clone()).await, Ok(trees))
}

async fn enums_within_enums() -> Outcome {
    let by_name = (0..).map(|i: u32| i.to_string()).zip(leaves()).collect();
    let trees = vec![
        Tree::Empty,
        Tree::Unit(Unit),
        Tree::Several(Leaf::Nothing, leaves(), [Leaf::Two(1, 'x'), Leaf::Nothing]),
        Tree::Several(Leaf::Text("a".to_owned()), vec![], [Leaf::Nothing, Leaf::Nothing]),
        Tree::Named { leaf: Box::new(Leaf::Two(0, '\0')), by_name, maybe: Some(Leaf::Nothing) },
        Tree::Named { leaf: Box::new(Leaf::Nothing), by_name: BTreeMap::new(), maybe: None },
    ];
    same(echo_trees(trees.clone()).await, Ok(trees))
}

fn options() -> Options {
    Options {
        none: None,
        some: Some(0),
        list: vec![None, Some(String::new()), Some("x".to_owned()), None],
        tuple: Some((None, 0.5)),
        strukt: Some(Meters(2.5)),
        map: [
            ("none".to_owned(), None),
            ("empty".to_owned(), Some(vec![])),
            ("some".to_owned(), Some(vec![None, Some(true), Some(false)])),
        ]
        .into_iter()
        .collect(),
    }
}

async fn options_in_every_place() -> Outcome {
    same(echo_options(&options()).await, Ok(options()))?;
    let none = Options {
        none: Some(255),
        some: None,
        list: vec![],
        tuple: None,
        strukt: None,
        map: BTreeMap::new(),
    };
    same(echo_options(&none).await, Ok(none))
}

async fn results() -> Outcome {
    let results = vec![Ok(1), Err("no".to_owned()), Ok(0), Err(String::new())];
    same(echo_results(results.clone()), Ok(results))
}

async fn tuples_and_arrays() -> Outcome {
    let tuples: Tuples = (
        (255,),
        (true, 'ß'),
        [(i32::MIN, "first".to_owned()), (7, String::new())],
        [[0.5, -0.5], [f32::MAX, f32::MIN]],
    );
    same(echo_tuples(tuples.clone()), Ok(tuples))
}

async fn echoed(x: Collections) -> Outcome {
    same(echo_collections(&x).await, Ok(x))
}

async fn maps_with_keys_of_text() -> Outcome {
    let names = ["", "a", "ключ", "🎫", "with space", "a\0b", "e\u{301}", "é"];
    let texts = names.map(|name| (name.to_owned(), name.repeat(2))).into_iter().collect();
    echoed(Collections { texts, ..Collections::empty() }).await
}

async fn maps_with_other_keys() -> Outcome {
    let numbers = [0, 1, 10, u32::MAX].map(|n| (n, n.to_string())).into_iter().collect();
    let signed = [0, -1, i64::MIN, i64::MAX, 1 << 53].map(|n| (n, n > 0)).into_iter().collect();
    let letters = ['\0', 'a', '切', '🎫'].map(|c| (c, c.len_utf8() as u8)).into_iter().collect();
    echoed(Collections { numbers, signed, letters, ..Collections::empty() }).await
}

async fn keys_that_objects_treat_specially() -> Outcome {
    let names = ["__proto__", "constructor", "toString", "hasOwnProperty", "length", "then"];
    let digits = ["10", "9", "01", "-1", "1.5", "4294967295", "4294967296"];
    let names = names.into_iter().chain(digits);
    let texts = names.map(|name| (name.to_owned(), format!("<{name}>"))).collect();
    echoed(Collections { texts, ..Collections::empty() }).await
}

async fn sets_and_boxes() -> Outcome {
    let set = ["b", "a", "", "切"].map(str::to_owned).into_iter().collect();
    let boxed = Box::new(Pair(i16::MAX, "boxed".to_owned()));
    echoed(Collections { set, boxed, ..Collections::empty() }).await
}

async fn empty_collections() -> Outcome {
    echoed(Collections::empty()).await?;
    let nested = Collections {
        lists: vec![vec![], vec![String::new()], vec![]],
        many_bytes: vec![vec![], vec![]],
        texts: [(String::new(), String::new())].into_iter().collect(),
        ..Collections::empty()
    };
    echoed(nested).await?;
    same(echo_trees(vec![]).await, Ok(vec![]))
}

async fn bytes_in_every_place() -> Outcome {
    let all: Vec<u8> = (0..=255).collect();
    let bytes = Collections {
        bytes: all.clone(),
        many_bytes: vec![vec![0], all.clone(), vec![], vec![255; 1000]],
        octets: [0, 127, 128, 255],
        ..Collections::empty()
    };
    echoed(bytes).await
}

async fn a_deep_value() -> Outcome {
    let lists = (0..50).map(|i| (0..i).map(|j| format!("{i}.{j}")).collect()).collect();
    echoed(Collections { lists, ..Collections::empty() }).await
}

async fn a_wide_value() -> Outcome {
    let list = (0..50_000).map(|i: u32| i.wrapping_mul(2_654_435_761)).collect();
    let texts = (0..2000).map(|i| (format!("key {i}"), format!("value {i} 切"))).collect();
    let numbers = (0..2000).map(|i| (i, "x".repeat(i as usize % 7))).collect();
    echoed(Collections { list, texts, numbers, ..Collections::empty() }).await
}

async fn ten_thousand_values() -> Outcome {
    let trees: Vec<_> = (0..10_000u32)
        .map(|i| match i % 3 {
            0 => Tree::Empty,
            1 => Tree::One(Leaf::Text(i.to_string())),
            _ => Tree::One(Leaf::Named { left: i.into(), right: Some(i % 2 == 0) }),
        })
        .collect();
    same(echo_trees(trees.clone()).await == Ok(trees), true)
}

async fn javascript_sees_what_serde_would_write() -> Outcome {
    let json = |found: Result<String, HostError>, expected: &str| {
        same(found.map_err(|error| error.to_string())?.as_str(), expected)
    };
    json(json_of_tree(&Tree::Empty), r#""Empty""#)?;
    json(json_of_tree(&Tree::One(Leaf::Nothing)), r#"{"One":"Nothing"}"#)?;
    json(json_of_tree(&Tree::One(Leaf::Text("ä".to_owned()))), r#"{"One":{"Text":"ä"}}"#)?;
    json(json_of_tree(&Tree::Unit(Unit)), r#"{"Unit":null}"#)?;
    let pair = Leaf::Two(-1, 'c');
    let several = Tree::Several(pair.clone(), vec![pair.clone()], [Leaf::Nothing, pair]);
    json(
        json_of_tree(&several),
        r#"{"Several":[{"Two":[-1,"c"]},[{"Two":[-1,"c"]}],["Nothing",{"Two":[-1,"c"]}]]}"#,
    )?;
    let by_name = [("k".to_owned(), Leaf::Nothing)].into_iter().collect();
    let leaf = Box::new(Leaf::Named { left: 5, right: None });
    json(
        json_of_tree(&Tree::Named { leaf, by_name, maybe: None }),
        r#"{"Named":{"leaf":{"Named":{"left":5,"right":null}},"by_name":{"k":"Nothing"},"maybe":null}}"#,
    )?;
    json(
        json_of_options(&options()),
        r#"{"none":null,"some":0,"list":[null,"","x",null],"tuple":[null,0.5],"strukt":2.5,"map":{"empty":[],"none":null,"some":[null,true,false]}}"#,
    )?;
    json(
        json_of_structs(&structs()),
        r#"{"unit":null,"nothing":{},"newtype":1.5,"nested":[-0.25,1e+100],"pair":[-300,"zwei"],"none":null}"#,
    )
}

async fn javascript_may_give_other_forms() -> Outcome {
    let loose = loose().map_err(|error| error.to_string())?;
    same(loose.from_set, vec![3, 1, 2])?;
    same(loose.from_map.into_iter().collect(), vec![("a".to_owned(), 1), ("b".to_owned(), 2)])?;
    same((loose.from_number, loose.from_bigint), ((1 << 53) - 1, u64::MAX))?;
    same((loose.from_buffer, loose.from_array), (vec![1, 2, 255], vec![0, 128]))?;
    same((loose.from_view, loose.from_undefined, loose.absent), (vec![0.5, -1.5], None, None))
}

async fn what_does_not_fit_is_a_type_error() -> Outcome {
    for which in 0..MISFITS {
        let error = misfit(which).await.err().ok_or(format!("misfit {which} was taken"))?;
        same((which, error.name()), (which, "TypeError"))?;
    }
    Ok(())
}
