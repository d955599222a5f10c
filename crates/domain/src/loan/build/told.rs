//! Why the rows of a built schedule owe what they do, with the numbers that [`Builder`](super::Builder) took.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use jiff::civil::Date;

use super::Builder;
use super::spans::basis;
use crate::explain::{Explanation, Factor, How, Name};
use crate::loan::state::{Standing, State};
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::plan::Component;
use crate::servicing::Basis;

/// Days of a row with one balance and one rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Earned {
    /// The evening on which they begin.
    pub from: Date,
    /// The evening on which they end.
    pub until: Date,
    /// What earned.
    pub base: Amount,
    /// At which rate.
    pub rate: Rate,
    /// The part of a year that they are.
    pub part: (i64, i64),
}

/// Why principal or interest of a row comes to what it does, if its rows are built from what moved.
pub(crate) fn why(
    state: &State<'_>,
    standing: &Standing,
    component: Component,
) -> Result<Option<Explanation>, OutOfRange> {
    let servicing = state.terms.conventions.servicing.as_deref();
    let builds = |s: &&_| crate::loan::scheduled::builds(state, s) && standing.is_regular();
    let Some(servicing) = servicing.filter(builds) else {
        return Ok(None);
    };
    let basis = basis(servicing.method);
    let built = Builder::new(state, servicing)?.build()?;
    let Some(row) = built.iter().find(|r| r.until == standing.row.due_on) else {
        return Ok(None);
    };
    let mut parts = Vec::with_capacity(row.earned.len());
    for earned in &row.earned {
        parts.push(earned.why(basis)?);
    }
    let own = Explanation::sum(Name::PeriodInterest, parts, Vec::new())?;
    let interest = match row.planned.interest.minus(own.value)? {
        Amount::ZERO => own,
        carried => {
            let carried = Explanation::given(Name::Carried, carried);
            Explanation::sum(Name::PeriodInterest, vec![own, carried], Vec::new())?
        }
    };
    let level = Explanation::given(Name::Level, row.instalment);
    let planned = match component {
        Component::Principal => {
            let owed = Explanation::sum(Name::Charged { component }, vec![level], vec![interest])?;
            if owed.value == row.planned.principal {
                owed
            } else {
                Explanation::given(Name::Rest, row.planned.principal)
            }
        }
        _ => interest,
    };
    let beside = Explanation::given(Name::Beside, standing.added.of(component));
    Explanation::sum(Name::Charged { component }, vec![planned, beside], Vec::new()).map(Some)
}

impl Earned {
    /// Why the days earn what they do.
    fn why(&self, basis: Basis) -> Result<Explanation, OutOfRange> {
        let (from, until) = (self.from, self.until);
        let (part, whole) = self.part;
        let time = match basis {
            Basis::Periods => Factor::Share { part, whole },
            Basis::Days => Factor::Days {
                days: part,
                of: whole,
            },
        };
        let balance = Explanation::given(Name::Balance { from, until }, self.base);
        let factors = vec![Factor::Rate { rate: self.rate }, time];
        Explanation::product(
            Name::Interest { from, until },
            balance,
            factors,
            Rounding::HalfEven,
        )
    }
}

/// A figure as a multiple, if one is asked for.
pub(in crate::loan) fn multiple(
    name: Name,
    of: Explanation,
    multiple: Amount,
) -> Result<Explanation, OutOfRange> {
    if !multiple.is_positive() {
        return Ok(Explanation { name, ..of });
    }
    let of = Box::new(of);
    Explanation::of(name, How::Multiple { of, multiple })
}

/// Of an amount that is shared equally over so many rows: what the rows before left of it, and an equal part.
pub(in crate::loan) fn shared(
    of: Explanation,
    left: Amount,
    parts: i64,
) -> Result<(Explanation, Explanation), OutOfRange> {
    let others = Explanation::given(Name::OtherInstalments, of.value.minus(left)?);
    let rest = Explanation::sum(Name::Rest, vec![of.clone()], vec![others])?;
    let factors = vec![Factor::Share {
        part: 1,
        whole: parts,
    }];
    let each = Explanation::product(Name::EqualPart, of, factors, Rounding::HalfEven)?;
    Ok((rest, each))
}
