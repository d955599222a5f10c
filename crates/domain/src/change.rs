//! What a command did: the change that it asked for, or nothing because it had been made before.

/// The outcome of a command that may arrive twice (重复指令).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// It changed something, and this is how it stands now.
    Made(T),
    /// The same command had been carried out before; nothing is to be written.
    AlreadyMade,
}
