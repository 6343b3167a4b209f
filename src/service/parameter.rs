//! Values of query parameters, or the error that names the invalid one.

use super::{Error, Result};
use crate::domain::list::{Limit, PageNumber, Paging, Parameter, TimeBound};
use time::OffsetDateTime;

/// The value of a parameter.
///
/// # Errors
/// `invalid_parameter` with its name.
pub fn value<T>(name: &'static str, parameter: Parameter<T>) -> Result<Option<T>> {
    match parameter {
        Parameter::Absent => Ok(None),
        Parameter::Given(value) => Ok(Some(value)),
        Parameter::Invalid { detail, .. } => Err(Error::invalid(name, detail)),
    }
}

/// The page of a list, and the rows per page.
pub fn paging(paging: Paging, most_pages: u32) -> Result<(PageNumber, Limit)> {
    let limit = value("limit", paging.limit)?.unwrap_or_default();
    let page = value("page", paging.page)?.unwrap_or_default();
    if page.0 > most_pages {
        return Err(Error::invalid("page", format!("must be a whole number from 1 to {most_pages}")));
    }
    Ok((page, limit))
}

/// A span of time. A date means its whole day, at both ends.
pub fn span(from: Parameter<TimeBound>, to: Parameter<TimeBound>) -> Result<(Option<OffsetDateTime>, Option<OffsetDateTime>)> {
    let from = value("from", from)?.map(TimeBound::start);
    let to = value("to", to)?.map(TimeBound::end);
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        return Err(Error::invalid("to", "is before `from`"));
    }
    Ok((from, to))
}
