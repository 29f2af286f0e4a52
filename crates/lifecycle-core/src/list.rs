//! Lists of instances and regions: what a request asks for, and one page as a provider reports the page.

use crate::{InstanceDetails, InstanceFilter, Observation, PageToken};

/// The content of a list: the conditions on the instances, and the facts about each instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListQuery {
    /// The conditions. A provider sends the conditions that the cloud can apply; the client applies all.
    pub filter: InstanceFilter,
    /// The list shows the [`InstanceDetails`](crate::InstanceDetails) of each instance.
    pub with_details: bool,
}

impl ListQuery {
    /// Returns a query for the instances that match `filter`.
    pub fn new(filter: InstanceFilter) -> Self {
        Self {
            filter,
            with_details: false,
        }
    }

    /// Requests the details of each instance.
    #[must_use]
    pub fn with_details(mut self) -> Self {
        self.with_details = true;
        self
    }

    /// Returns `true` if the response must show details: for the caller or for the filter.
    pub fn needs_details(&self) -> bool {
        self.with_details || self.filter.needs_details()
    }
}

/// A region of a cloud, as the cloud reports the region.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Region {
    /// The id, as in references.
    pub id: String,
    /// The name for people, in the language of the account.
    pub name: Option<String>,
    /// The reason why the key cannot use the region; `None` for a usable region.
    pub unavailable: Option<String>,
}

impl Region {
    /// Returns a region without a name.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: None,
            unavailable: None,
        }
    }

    /// Sets the name for people.
    #[must_use]
    pub fn with_name(mut self, name: Option<String>) -> Self {
        self.name = name;
        self
    }

    /// Sets the reason why the key cannot use the region.
    #[must_use]
    pub fn with_unavailable(mut self, reason: Option<String>) -> Self {
        self.unavailable = reason;
        self
    }
}

/// One page of a list: the rows, and the cloud's statements about further rows.
///
/// A provider only reports a page. The client reads page after page, and decides where the list ends
/// and whether the list is complete.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ListPage {
    /// The instances of this page, in the order of the response. An instance can occur twice.
    pub observations: Vec<Observation>,
    /// The number of rows without a readable id. Each row stands for an instance that the list does
    /// not show.
    pub unidentified: usize,
    /// The number of instances on all pages, if the documents of the cloud define the number.
    pub total: Option<usize>,
    /// Pages have numbers. An instance that is deleted while the list is read moves later instances
    /// to earlier pages, so a reader can miss an instance.
    pub numbered: bool,
    /// The position of the next page.
    pub next: NextPage,
}

/// The position of the page after a page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextPage {
    /// The cloud reported the last page.
    #[default]
    End,
    /// The cloud named the next page.
    Named(PageToken),
    /// The page is full. The position of the next page follows from this page, and the list ends
    /// with an empty page; with a total, also with a page without a new instance.
    Expected(PageToken),
    /// The page has fewer rows than requested. Some clouds send short pages, so the list goes on
    /// until the total is reached; without a total, until a page is empty.
    Possible(PageToken),
    /// The cloud reported a further page, but not the position of that page.
    Unnamed,
}

impl NextPage {
    /// Returns the token of the next page, if the position is known.
    pub fn token(&self) -> Option<&PageToken> {
        match self {
            Self::Named(token) | Self::Expected(token) | Self::Possible(token) => Some(token),
            Self::End | Self::Unnamed => None,
        }
    }
}

impl ListPage {
    /// Returns the last page of a list, with these instances.
    pub fn new(observations: Vec<Observation>) -> Self {
        Self {
            observations,
            ..Self::default()
        }
    }

    /// Collects the rows of a response, where `None` is a row without a readable id, and gives each row
    /// the details in the same place. A row without details in `details` has no details.
    pub fn from_rows(
        rows: impl IntoIterator<Item = Option<Observation>>,
        details: impl IntoIterator<Item = Option<InstanceDetails>>,
    ) -> Self {
        let mut details = details.into_iter();
        let rows = rows.into_iter().map(|row| {
            let details = details.next().flatten();
            row.map(|row| row.with_details(details))
        });
        rows.collect()
    }

    /// Sets the position of the next page.
    #[must_use]
    pub fn with_next(mut self, next: NextPage) -> Self {
        self.next = next;
        self
    }

    /// Sets the number of instances on all pages.
    #[must_use]
    pub fn with_total(mut self, total: Option<usize>) -> Self {
        self.total = total;
        self
    }

    /// Declares that pages have numbers.
    #[must_use]
    pub fn with_numbered_pages(mut self) -> Self {
        self.numbered = true;
        self
    }

    /// Sets the number of rows without a readable id.
    #[must_use]
    pub fn with_unidentified(mut self, rows: usize) -> Self {
        self.unidentified = rows;
        self
    }

    /// Returns the number of rows in the response.
    pub fn rows(&self) -> usize {
        self.observations.len() + self.unidentified
    }
}

/// Collects the rows of a response; `None` is a row without a readable id.
impl FromIterator<Option<Observation>> for ListPage {
    fn from_iter<R: IntoIterator<Item = Option<Observation>>>(rows: R) -> Self {
        let rows = rows.into_iter();
        let mut page = Self::new(Vec::with_capacity(rows.size_hint().0));
        for row in rows {
            match row {
                Some(observation) => page.observations.push(observation),
                None => page.unidentified += 1,
            }
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InstanceId, PowerState};

    #[test]
    fn details_belong_to_the_row_in_the_same_place() {
        let row = |id: &str| {
            let id = InstanceId::new(id).unwrap();
            Some(Observation::new(id, PowerState::Running, "on"))
        };
        let zone = |zone: &str| {
            Some(InstanceDetails {
                zone: Some(zone.into()),
                ..InstanceDetails::default()
            })
        };
        let rows = [row("a"), None, row("b"), row("c"), row("d")];
        let page = ListPage::from_rows(rows, [zone("za"), zone("zx"), zone("zb"), None]);
        let zones: Vec<_> = page
            .observations
            .iter()
            .map(|row| row.details.as_ref()?.zone.as_deref())
            .collect();
        assert_eq!(zones, [Some("za"), Some("zb"), None, None]);
        assert_eq!(page.unidentified, 1);
    }

    #[test]
    fn query_needs_details_for_the_caller_or_for_the_filter() {
        let by_state = InstanceFilter::default().with_state(PowerState::Running);
        let by_zone = InstanceFilter::default().with_zone("z-a");
        for (query, expected) in [
            (ListQuery::default(), false),
            (ListQuery::new(by_state.clone()), false),
            (ListQuery::new(by_zone.clone()), true),
            (ListQuery::new(by_zone).with_details(), true),
        ] {
            assert_eq!(query.needs_details(), expected, "{query:?}");
        }
        let query = ListQuery::new(by_state.clone()).with_details();
        assert!(query.needs_details() && query.with_details);
        assert_eq!(query.filter, by_state);
    }

    #[test]
    fn page_keeps_its_rows_and_the_statements_of_the_cloud() {
        let id = InstanceId::new("i-1").unwrap();
        let row = Observation::new(id, PowerState::Running, "on");
        let next = NextPage::Named(PageToken::new("t-1"));
        let page = ListPage::new(vec![row.clone()])
            .with_next(next.clone())
            .with_total(Some(7))
            .with_numbered_pages()
            .with_unidentified(3);
        assert_eq!(page.observations, [row]);
        assert_eq!((page.next.clone(), page.total), (next, Some(7)));
        assert!(page.numbered);
        assert_eq!((page.unidentified, page.rows()), (3, 4));
        let empty = ListPage::default();
        assert_eq!((empty.next.clone(), empty.total), (NextPage::End, None));
        assert!(!empty.numbered && empty.rows() == 0);
    }

    #[test]
    fn next_page_has_a_token_if_the_position_is_known() {
        let token = PageToken::new("t-1");
        for next in [NextPage::Named, NextPage::Expected, NextPage::Possible] {
            assert_eq!(next(token.clone()).token(), Some(&token));
        }
        for next in [NextPage::End, NextPage::Unnamed] {
            assert_eq!(next.token(), None);
        }
    }

    #[test]
    fn region_is_usable_unless_it_has_a_reason() {
        let region = Region::new("r-1");
        assert_eq!((&region.name, &region.unavailable), (&None, &None));
        let (name, reason) = (Some("North".to_owned()), Some("closed".to_owned()));
        let region = region
            .with_name(name.clone())
            .with_unavailable(reason.clone());
        assert_eq!((region.name, region.unavailable), (name, reason));
        assert_eq!(region.id, "r-1");
    }
}
