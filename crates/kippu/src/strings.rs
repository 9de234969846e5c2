//! Strings one after the other, each a varint length and UTF-8: postcard's format, for what is no value of serde's.

pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    push_varint(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

pub(crate) fn push_varint(out: &mut Vec<u8>, mut value: usize) {
    while value > 127 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
}
