//! A record of the ring (section 4 of `abi/spec.md`), without the memory that it may point to.

const KIND: u32 = 15;
pub(crate) const UNIT: u32 = 0;
pub(crate) const NUMBER: u32 = 1;
pub(crate) const BYTES: u32 = 2;
pub(crate) const ERROR: u32 = 16;
const OWNED: u32 = 32;

/// As it lies in memory: 16 bytes.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Record {
    pub(crate) ticket: u32,
    pub(crate) tag: u32,
    /// The bits of a number, or (ptr, len) in the lower and the upper half.
    pub(crate) value: u64,
}

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Said {
    Unit,
    Number(f64),
    /// Bytes in memory: an error's when `error`. `owned` ones are the receiver's to free.
    Bytes {
        at: u32,
        len: u32,
        owned: bool,
        error: bool,
    },
    /// Something that this version does not know.
    Unknown,
}

impl Record {
    pub(crate) fn said(&self) -> Said {
        let error = self.tag & ERROR != 0;
        match self.tag & KIND {
            UNIT if !error => Said::Unit,
            NUMBER if !error => Said::Number(f64::from_bits(self.value)),
            BYTES => Said::Bytes {
                at: self.value as u32,
                len: (self.value >> 32) as u32,
                owned: self.tag & OWNED != 0,
                error,
            },
            _ => Said::Unknown,
        }
    }
}
