//! Bodies that are wanted as a whole, of the client's responses and of the server's requests.

use bytes::{Bytes, BytesMut};

/// The pieces of a body, one after another. A body of one piece is not copied.
#[derive(Default)]
pub(super) struct Whole {
    first: Bytes,
    all: BytesMut,
}

impl Whole {
    pub(super) fn push(&mut self, piece: Bytes) {
        if self.first.is_empty() && self.all.is_empty() {
            self.first = piece;
            return;
        }
        if self.all.is_empty() {
            // Taken over without a copy where nobody else has it.
            self.all = BytesMut::from(std::mem::take(&mut self.first));
        }
        self.all.extend_from_slice(&piece);
    }

    pub(super) fn into_bytes(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}

/// Text without the byte order mark that may stand before it.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(pieces: &[&'static str]) -> Bytes {
        let mut whole = Whole::default();
        pieces.iter().for_each(|piece| whole.push(Bytes::from(*piece)));
        whole.into_bytes()
    }

    #[test]
    fn pieces_keep_their_order_and_a_single_one_its_place() {
        assert_eq!([whole(&[]), whole(&["a", "b", "c"])], ["", "abc"]);
        let piece = "one piece";
        assert_eq!(whole(&[piece]).as_ptr(), piece.as_ptr());
    }
}
