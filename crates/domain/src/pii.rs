//! Personal data (个人信息): a wrapper that neither prints nor serialises what it holds.

use core::fmt;

/// A name, identity number, phone or contact. It has no `Display` and no `Serialize`, and its `Debug` is a mask,
/// so that it cannot leak into a log, a page or a reply by accident; the store encrypts it under a key per person.
#[derive(Clone, PartialEq, Eq)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    /// Wraps personal data as soon as it is parsed.
    pub const fn new(value: T) -> Pii<T> {
        Pii(value)
    }

    /// The data itself. Each call is a place where it leaves its wrapper: keep them few, and say why there.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pii(***)")
    }
}
