//! The options of a task: `--name VALUE` and `--flag`.

/// The options that a task was given.
pub struct Options {
    given: Vec<(String, Option<String>)>,
}

impl Options {
    /// Reads options; answers nothing after printing `help` when that was asked for.
    pub fn read(
        arguments: &[String],
        valued: &[&str],
        flags: &[&str],
        help: &str,
    ) -> Result<Option<Self>, String> {
        let mut given = Vec::new();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if argument == "--help" || argument == "-h" {
                print!("{help}");
                return Ok(None);
            } else if flags.contains(&argument.as_str()) {
                given.push((argument.clone(), None));
            } else if valued.contains(&argument.as_str()) {
                let value = rest.next().ok_or_else(|| format!("{argument} needs a value"))?;
                given.push((argument.clone(), Some(value.clone())));
            } else {
                let known = [valued, flags].concat().join(", ");
                return Err(format!("`{argument}` is unknown; {known} are allowed"));
            }
        }
        Ok(Some(Self { given }))
    }

    /// Whether a flag was given.
    pub fn has(&self, flag: &str) -> bool {
        self.given.iter().any(|(name, _)| name == flag)
    }

    /// The last value given under a name, if there is one.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.given
            .iter()
            .rev()
            .find(|(given, _)| given == name)?
            .1
            .as_deref()
    }

    /// The last value given under a name, or the default.
    pub fn text(&self, name: &str, default: &str) -> String {
        self.value(name).unwrap_or(default).to_owned()
    }

    /// A whole number more than zero, or the default.
    pub fn number(&self, name: &str, default: u64) -> Result<u64, String> {
        let Some(value) = self.value(name) else {
            return Ok(default);
        };
        let number = value.parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| format!("{name} is `{value}`; a whole number more than zero is allowed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Option<Options>, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Options::read(&words, &["--size"], &["--write"], "")
    }

    #[test]
    fn values_flags_and_defaults() {
        let options = read(&["--size", "7", "--write"]).unwrap().unwrap();
        assert_eq!(options.number("--size", 1).unwrap(), 7);
        assert_eq!(options.number("--rounds", 3).unwrap(), 3);
        assert!(options.has("--write") && !options.has("--quiet"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(read(&["--sise", "7"]).err().unwrap().contains("--sise"));
        assert!(read(&["--size"]).err().unwrap().contains("needs a value"));
        for bad in ["0", "-1", "many"] {
            assert!(
                read(&["--size", bad])
                    .unwrap()
                    .unwrap()
                    .number("--size", 1)
                    .unwrap_err()
                    .contains(bad)
            );
        }
    }

    #[test]
    fn help_is_printed_and_nothing_runs() {
        assert!(read(&["--size", "1", "--help"]).unwrap().is_none());
    }
}
