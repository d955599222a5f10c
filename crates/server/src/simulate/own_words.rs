//! A case in the platform's own words: the terms and the transactions that it comes to.

use std::fmt::Write;

use super::File;

impl File {
    /// What a case comes to: its origin, its terms, each transaction with its number and its day, and, where the case
    /// expects something, `on` with the day up to which the loan was counted. The recorded lives of
    /// `crates/domain/tests/recorded` are written so.
    ///
    /// # Errors
    /// A sentence if there is no such case, or if it cannot be played or lends nothing.
    pub fn own_words(&self, id: &str) -> Result<String, String> {
        let case = self.case(id)?;
        let played = self.play_case(&case)?;
        let terms = played.player.terms.as_ref();
        let terms = terms.ok_or_else(|| format!("{id} lends nothing"))?;
        let told = |e: serde_json::Error| e.to_string();
        let origin = case.get("from").and_then(|from| from.as_str()).unwrap_or(id);
        let mut text = format!("# {origin}\n");
        let mut line =
            |text_of: std::fmt::Arguments<'_>| writeln!(text, "{text_of}").map_err(|e| e.to_string());
        line(format_args!(
            "terms {}",
            serde_json::to_string(terms).map_err(told)?
        ))?;
        let mut transactions = played.player.transactions().iter();
        let mut before = 0;
        for (known, on) in played.asked {
            for t in transactions.by_ref().take(known.saturating_sub(before)) {
                let event = serde_json::to_string(&t.event).map_err(told)?;
                line(format_args!("{} {} {event}", t.number, t.effective_on))?;
            }
            before = known;
            line(format_args!("on {on}"))?;
        }
        Ok(text)
    }
}
