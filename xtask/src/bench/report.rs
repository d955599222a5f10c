//! The figures of a run, and the page that shows them.

use crate::postgres::Postgres;
use crate::shell;
use std::fmt::Write;
use std::process::Command;

/// One measurement of one thing in one round.
#[derive(Clone, Copy)]
pub struct Figure {
    /// A rate in things a second, or a time in seconds.
    pub value: f64,
    /// The share of the machine's time that was idle meanwhile.
    pub idle: Option<f64>,
    /// The 99th percentile of the time one thing took, in milliseconds.
    pub p99_ms: Option<f64>,
    /// Whether the value is a time.
    pub is_time: bool,
}

/// A ratio to be reached, or not to be passed.
struct Ratio {
    what: String,
    beside: String,
    aim: f64,
    is_at_most: bool,
    values: Vec<f64>,
}

/// Everything measured.
pub struct Run {
    arguments: String,
    rounds: u64,
    figures: Vec<(String, Vec<Figure>)>,
    ratios: Vec<Ratio>,
    sync_microseconds: Vec<f64>,
}

impl Run {
    /// Nothing measured yet.
    pub fn new(arguments: String, rounds: u64) -> Self {
        Self {
            arguments,
            rounds,
            figures: Vec::new(),
            ratios: Vec::new(),
            sync_microseconds: Vec::new(),
        }
    }

    /// Keeps the cost of one fdatasync.
    pub fn sync(&mut self, microseconds: f64) {
        self.sync_microseconds.push(microseconds);
    }

    /// Keeps a rate.
    pub fn figure(&mut self, label: &str, value: f64) {
        self.add(
            label,
            Figure {
                value,
                idle: None,
                p99_ms: None,
                is_time: false,
            },
        );
    }

    /// Keeps a time.
    pub fn seconds(&mut self, label: &str, value: f64) {
        self.add(
            label,
            Figure {
                value,
                idle: None,
                p99_ms: None,
                is_time: true,
            },
        );
    }

    /// Measures a rate and the idle share meanwhile, and keeps both.
    pub fn take(
        &mut self,
        label: &str,
        measure: impl FnOnce() -> Result<f64, String>,
    ) -> Result<f64, String> {
        let idle = super::beside::Idle::begin()?;
        let value = measure()?;
        self.add(
            label,
            Figure {
                value,
                idle: Some(idle.share()?),
                p99_ms: None,
                is_time: false,
            },
        );
        Ok(value)
    }

    /// Keeps a figure.
    pub fn add(&mut self, label: &str, figure: Figure) {
        let unit = if figure.is_time { "s" } else { "/s" };
        eprintln!("bench: {label}: {} {unit}", round(figure.value));
        match self.figures.iter_mut().find(|(other, _)| other == label) {
            Some((_, figures)) => figures.push(figure),
            None => self.figures.push((label.to_owned(), vec![figure])),
        }
    }

    /// Keeps one round's ratio, which is to reach `aim`.
    pub fn ratio(&mut self, what: &str, beside: &str, value: f64, aim: f64) {
        self.keep_ratio(what, beside, value, aim, false);
    }

    /// Keeps one round's ratio, which is not to pass `aim`.
    pub fn ratio_at_most(&mut self, what: &str, beside: &str, value: f64, aim: f64) {
        self.keep_ratio(what, beside, value, aim, true);
    }

    fn keep_ratio(&mut self, what: &str, beside: &str, value: f64, aim: f64, is_at_most: bool) {
        match self
            .ratios
            .iter_mut()
            .find(|ratio| ratio.what == what && ratio.beside == beside)
        {
            Some(ratio) => ratio.values.push(value),
            None => self.ratios.push(Ratio {
                what: what.to_owned(),
                beside: beside.to_owned(),
                aim,
                is_at_most,
                values: vec![value],
            }),
        }
    }

    /// What one fdatasync costs, if it was measured.
    fn sync_sentence(&self) -> String {
        match self.sync_microseconds.as_slice() {
            [] => String::new(),
            all => format!(
                " One `fdatasync` of 4 KiB costs {} µs here (median; {} to {}).",
                round(median(all)),
                round(least(all)),
                round(greatest(all)),
            ),
        }
    }

    /// The page, in Markdown.
    pub fn page(&self, title: &str, machine: &Machine) -> String {
        let sync = self.sync_sentence();
        let mut text = format!(
            "# {title}\n\n\
             Measured by `{}` in {} interleaved rounds, on {}.{sync} Only the ratios mean something elsewhere: each is \
             taken within a round, and the median of the rounds is shown with its least and greatest.\n\n\
             ## Ratios\n\n| what | beside | ratio | least | greatest | to reach | reached |\n|---|---|--:|--:|--:|--:|---|\n",
            format!("cargo xtask bench {}", self.arguments).trim_end(),
            self.rounds,
            machine.line,
        );
        // Writing to a string cannot fail.
        for ratio in &self.ratios {
            let value = median(&ratio.values);
            let is_reached = if ratio.is_at_most {
                value <= ratio.aim
            } else {
                value >= ratio.aim
            };
            let sign = if ratio.is_at_most { "≤" } else { "≥" };
            let _ = writeln!(
                text,
                "| {} | {} | {}× | {} | {} | {sign} {}× | {} |",
                ratio.what,
                ratio.beside,
                round(value),
                round(least(&ratio.values)),
                round(greatest(&ratio.values)),
                round(ratio.aim),
                if is_reached { "yes" } else { "no" },
            );
        }
        text.push_str(
            "\n## Figures\n\n| what | median | least | greatest | p99 | machine idle |\n|---|--:|--:|--:|--:|--:|\n",
        );
        for (label, figures) in &self.figures {
            let values: Vec<f64> = figures.iter().map(|figure| figure.value).collect();
            let idle: Vec<f64> = figures.iter().filter_map(|figure| figure.idle).collect();
            let p99: Vec<f64> = figures.iter().filter_map(|figure| figure.p99_ms).collect();
            let unit = if figures.iter().any(|figure| figure.is_time) {
                " s"
            } else {
                "/s"
            };
            let _ = writeln!(
                text,
                "| {label} | {}{unit} | {} | {} | {} | {} |",
                round(median(&values)),
                round(least(&values)),
                round(greatest(&values)),
                if p99.is_empty() {
                    String::new()
                } else {
                    format!("{} ms", round(median(&p99)))
                },
                if idle.is_empty() {
                    String::new()
                } else {
                    format!("{:.0} %", median(&idle) * 100.0)
                },
            );
        }
        text
    }
}

/// The machine that was measured on.
pub struct Machine {
    line: String,
}

impl Machine {
    /// Looks at the processor alone.
    pub fn without_postgres() -> Self {
        let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cores = processors
            .lines()
            .filter(|line| line.starts_with("processor"))
            .count();
        let model = processors.lines().find(|line| line.starts_with("model name"));
        let model = model
            .and_then(|line| line.split(": ").nth(1))
            .unwrap_or("an unnamed processor");
        Self {
            line: format!("{cores} cores of {model}"),
        }
    }

    /// Looks at the machine and its database.
    pub fn look(postgres: &Postgres) -> Result<Self, String> {
        let processor = Self::without_postgres().line;
        let mut psql = postgres.client("psql");
        let version = shell::output(psql.args(["-At", "-c", "show server_version"]))?;
        let version = version.split_whitespace().next().unwrap_or_default().to_owned();
        let system = shell::output(
            Command::new("stat")
                .args(["-f", "-c", "%T"])
                .arg(std::env::temp_dir()),
        )?;
        let line = format!(
            "{processor}, PostgreSQL {version}, a disk of type {}",
            system.trim()
        );
        Ok(Self { line })
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

fn median(values: &[f64]) -> f64 {
    let values = sorted(values);
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[length / 2],
        length => f64::midpoint(values[length / 2 - 1], values[length / 2]),
    }
}

fn least(values: &[f64]) -> f64 {
    sorted(values).first().copied().unwrap_or(f64::NAN)
}

fn greatest(values: &[f64]) -> f64 {
    sorted(values).last().copied().unwrap_or(f64::NAN)
}

/// Three significant digits: more would claim what was not measured.
fn round(value: f64) -> String {
    match value.abs() {
        large if large >= 1000.0 => {
            let digits = format!("{:.0}", value / 10f64.powf(large.log10().floor() - 2.0));
            let zeros = large.log10().floor() - 2.0;
            let whole = digits.parse::<f64>().unwrap_or(value) * 10f64.powf(zeros);
            let plain = format!("{whole:.0}");
            let split = plain.len().saturating_sub(3);
            match plain.len() {
                7.. => format!(
                    "{},{},{}",
                    &plain[..split - 3],
                    &plain[split - 3..split],
                    &plain[split..]
                ),
                _ => format!("{},{}", &plain[..split], &plain[split..]),
            }
        }
        large if large >= 100.0 => format!("{value:.0}"),
        large if large >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        let rounded: Vec<String> = [46_123.4, 5_402.0, 812.3, 12.34, 1.234, 1_234_567.0]
            .map(round)
            .to_vec();
        assert_eq!(rounded, ["46,100", "5,400", "812", "12.3", "1.23", "1,230,000"]);
    }

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert_eq!(median(&[3.0, 1.0, 2.0]).to_bits(), 2f64.to_bits());
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]).to_bits(), 2.5f64.to_bits());
    }

    #[test]
    fn the_page_says_what_was_reached_and_what_was_not() {
        let mut run = Run::new("--rounds 3".to_owned(), 3);
        for value in [4.5, 3.9, 4.1] {
            run.ratio("confirm", "pgbench", value, 4.0);
            run.ratio_at_most("day", "half", value, 1.2);
        }
        run.sync(90.0);
        let page = run.page(
            "Performance",
            &Machine {
                line: "a machine".to_owned(),
            },
        );
        assert!(
            page.contains("| confirm | pgbench | 4.10× | 3.90 | 4.50 | ≥ 4.00× | yes |"),
            "{page}"
        );
        assert!(
            page.contains("| day | half | 4.10× | 3.90 | 4.50 | ≤ 1.20× | no |"),
            "{page}"
        );
        assert!(page.contains("`cargo xtask bench --rounds 3`"), "{page}");
    }
}
