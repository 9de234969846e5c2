//! The entries of the custom section `kippu`, made at compile time (section 10 of `abi/spec.md`).

use postcard_schema::schema::{DataModelType, DataModelVariant, NamedType};

/// The type of a parameter or result.
#[derive(Clone, Copy)]
pub enum Type {
    /// One of the codes 0 to 11.
    Code(u8),
    /// Code 12, with the schema.
    Schema(&'static NamedType),
    /// Code 14: numbers one after another, with the type of each.
    Numbers(&'static Type),
    /// Code 13: a stream, with the type of its items.
    Stream(&'static Type),
}

/// What the host must know of one function.
pub struct Entry {
    /// 0 host function, 1 export.
    pub kind: u8,
    /// Whether it is async.
    pub is_async: bool,
    /// The name of the import or export.
    pub name: &'static str,
    /// The doc comment.
    pub doc: &'static str,
    /// Name and type of each parameter.
    pub params: &'static [(&'static str, Type)],
    /// The type of the result.
    pub result: Type,
}

impl Entry {
    /// The size of [`bytes`](Self::bytes), in bytes.
    pub const fn size(&self) -> usize {
        let out = self.write(Writer { bytes: [], at: 0 });
        out.at + 4
    }

    /// The entry: its length as u32, then postcard.
    pub const fn bytes<const N: usize>(&self) -> [u8; N] {
        let out = self.write(Writer { bytes: [0; N], at: 4 });
        let mut bytes = out.bytes;
        let len = (N as u32 - 4).to_le_bytes();
        let mut i = 0;
        while i < 4 {
            bytes[i] = len[i];
            i += 1;
        }
        bytes
    }

    const fn write<const N: usize>(&self, out: Writer<N>) -> Writer<N> {
        let mut out =
            out.byte(1).byte(self.kind).byte(self.is_async as u8).str(self.name).str(self.doc);
        out = out.varint(self.params.len());
        let mut i = 0;
        while i < self.params.len() {
            out = out.str(self.params[i].0).ty(self.params[i].1);
            i += 1;
        }
        out.ty(self.result)
    }
}

/// Counts bytes, and writes those for which there is room; so `N` = 0 measures.
struct Writer<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Writer<N> {
    const fn byte(mut self, byte: u8) -> Self {
        if self.at < N {
            self.bytes[self.at] = byte;
        }
        self.at += 1;
        self
    }

    const fn varint(mut self, mut value: usize) -> Self {
        while value >= 0x80 {
            self = self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8)
    }

    const fn str(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        self = self.varint(bytes.len());
        let mut i = 0;
        while i < bytes.len() {
            self = self.byte(bytes[i]);
            i += 1;
        }
        self
    }

    /// A name of postcard-schema's, which writes names as Rust does: JavaScript has no use for the `r#` of
    /// `r#type`, and serde leaves it out as well.
    const fn name(self, text: &str) -> Self {
        match text.as_bytes() {
            [b'r', b'#', ..] => self.str(text.split_at(2).1),
            _ => self.str(text),
        }
    }

    const fn ty(self, ty: Type) -> Self {
        match ty {
            Type::Code(code) => self.byte(code),
            Type::Schema(schema) => self.byte(12).named_type(schema),
            Type::Numbers(item) => self.byte(14).ty(*item),
            Type::Stream(item) => self.byte(13).ty(*item),
        }
    }

    // The numbers below are the order of the variants in postcard-schema 0.2's types, which is how postcard
    // encodes them; a test compares with its own serializer.
    const fn named_type(self, named: &NamedType) -> Self {
        let out = self.name(named.name);
        match named.ty {
            DataModelType::Bool => out.byte(0),
            DataModelType::I8 => out.byte(1),
            DataModelType::U8 => out.byte(2),
            DataModelType::I16 => out.byte(3),
            DataModelType::I32 => out.byte(4),
            DataModelType::I64 => out.byte(5),
            DataModelType::I128 => out.byte(6),
            DataModelType::U16 => out.byte(7),
            DataModelType::U32 => out.byte(8),
            DataModelType::U64 => out.byte(9),
            DataModelType::U128 => out.byte(10),
            DataModelType::Usize => out.byte(11),
            DataModelType::Isize => out.byte(12),
            DataModelType::F32 => out.byte(13),
            DataModelType::F64 => out.byte(14),
            DataModelType::Char => out.byte(15),
            DataModelType::String => out.byte(16),
            DataModelType::ByteArray => out.byte(17),
            DataModelType::Option(inner) => out.byte(18).named_type(inner),
            DataModelType::Unit => out.byte(19),
            DataModelType::UnitStruct => out.byte(20),
            DataModelType::NewtypeStruct(inner) => out.byte(21).named_type(inner),
            DataModelType::Seq(inner) => out.byte(22).named_type(inner),
            DataModelType::Tuple(fields) => out.byte(23).types(fields),
            DataModelType::TupleStruct(fields) => out.byte(24).types(fields),
            DataModelType::Map { key, val } => out.byte(25).named_type(key).named_type(val),
            DataModelType::Struct(fields) => out.byte(26).fields(fields),
            DataModelType::Enum(variants) => {
                let mut out = out.byte(27).varint(variants.len());
                let mut i = 0;
                while i < variants.len() {
                    out = out.name(variants[i].name);
                    out = match variants[i].ty {
                        DataModelVariant::UnitVariant => out.byte(0),
                        DataModelVariant::NewtypeVariant(inner) => out.byte(1).named_type(inner),
                        DataModelVariant::TupleVariant(fields) => out.byte(2).types(fields),
                        DataModelVariant::StructVariant(fields) => out.byte(3).fields(fields),
                    };
                    i += 1;
                }
                out
            }
            DataModelType::Schema => out.byte(28),
        }
    }

    const fn types(self, types: &[&NamedType]) -> Self {
        let mut out = self.varint(types.len());
        let mut i = 0;
        while i < types.len() {
            out = out.named_type(types[i]);
            i += 1;
        }
        out
    }

    const fn fields(self, fields: &[&postcard_schema::schema::NamedValue]) -> Self {
        let mut out = self.varint(fields.len());
        let mut i = 0;
        while i < fields.len() {
            out = out.name(fields[i].name).named_type(fields[i].ty);
            i += 1;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postcard_schema::Schema;
    use std::collections::BTreeMap;

    #[derive(Schema)]
    #[allow(dead_code)]
    enum Shape {
        Point,
        Circle(f64),
        Line(i8, (u16, char)),
        Box { w: Option<u64>, name: String },
    }

    #[derive(Schema)]
    #[allow(dead_code)]
    struct All {
        shapes: Vec<Shape>,
        map: BTreeMap<String, [i128; 3]>,
        flag: bool,
        unit: (),
        long_name_of_a_field_that_needs_more_than_one_byte_of_length_because_it_has_more_than_127_characters_in_all_when_one_counts_them:
            f32,
    }

    #[test]
    fn a_schema_is_encoded_as_postcard_encodes_it() {
        const ENTRY: Entry = Entry {
            kind: 1,
            is_async: true,
            name: "f",
            doc: "Says.",
            params: &[("all", Type::Schema(All::SCHEMA)), ("n", Type::Code(9))],
            result: Type::Code(0),
        };
        let bytes: [u8; ENTRY.size()] = ENTRY.bytes();
        let mut expected = vec![1, 1, 1, 1, b'f', 5];
        expected.extend(b"Says.");
        expected.extend([2, 3]);
        expected.extend(b"all");
        expected.push(12);
        expected.extend(postcard::to_allocvec(All::SCHEMA).unwrap());
        expected.extend([1, b'n', 9, 0]);
        assert_eq!(&bytes[4..], expected);
        assert_eq!(bytes[..4], (expected.len() as u32).to_le_bytes());
    }
}
