//! The position of a page in a list of Alibaba ECS.

use lifecycle_core::{NextPage, PageToken};

use crate::filter::MAX_TAGGED;

/// The position of a page. The token of the next page is the token of ECS, with the selection of the
/// list in front if the list has a condition on tags.
///
/// ECS lists at most 1,000 instances by tags. A list that ends with this number goes on with the first page
/// without tags: the client applies the conditions, and leaves out instances that the list has already.
#[derive(Debug, PartialEq)]
pub(crate) struct Position {
    pub(crate) selection: Selection,
    /// The token of ECS; `None` for the first page.
    pub(crate) token: Option<String>,
}

/// The treatment of conditions on tags.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Selection {
    /// The list has no condition on tags that ECS can apply.
    WithoutTags,
    /// ECS applies the conditions. The earlier pages have this number of rows.
    ByTags { listed: usize },
    /// The conditions are not sent, because too many instances have the tags.
    All,
}

impl Position {
    /// Returns the position of `page` in a list, with or without a condition on tags to send.
    pub(crate) fn of(page: Option<&PageToken>, has_tags: bool) -> Self {
        let text = page.map(PageToken::as_str);
        let (selection, token) = match (has_tags, text) {
            (false, token) => (Selection::WithoutTags, token),
            (true, None) => (Selection::ByTags { listed: 0 }, None),
            (true, Some(ALL)) => (Selection::All, None),
            (true, Some(text)) => match text.split_once(' ') {
                Some((ALL, token)) => (Selection::All, Some(token)),
                Some((listed, token)) => (
                    // A number that cannot be read is not a number of this list.
                    Selection::ByTags {
                        listed: listed.parse().unwrap_or(MAX_TAGGED),
                    },
                    Some(token),
                ),
                None => (Selection::ByTags { listed: 0 }, Some(text)),
            },
        };
        Self {
            selection,
            token: token.map(str::to_owned),
        }
    }

    /// Returns the position after a page with this number of rows and this token of ECS.
    pub(crate) fn next(&self, rows: usize, token: Option<&str>) -> NextPage {
        let text = match (self.selection, token) {
            (Selection::WithoutTags, Some(token)) => token.to_owned(),
            (Selection::ByTags { listed }, Some(token)) => {
                format!("{} {token}", listed.saturating_add(rows))
            }
            (Selection::All, Some(token)) => format!("{ALL} {token}"),
            // A longer list shows that the limit does not apply.
            (Selection::ByTags { listed }, None) if listed.saturating_add(rows) == MAX_TAGGED => {
                ALL.to_owned()
            }
            (_, None) => return NextPage::End,
        };
        NextPage::Named(PageToken::new(text))
    }
}

const ALL: &str = "all";

#[cfg(test)]
mod tests {
    use super::*;

    fn next(page: Option<&str>, has_tags: bool, rows: usize, token: Option<&str>) -> NextPage {
        let page = page.map(PageToken::new);
        Position::of(page.as_ref(), has_tags).next(rows, token)
    }

    #[test]
    fn token_of_a_list_without_tags_is_the_token_of_the_cloud() {
        let named = NextPage::Named(PageToken::new("all 7"));
        assert_eq!(next(None, false, 100, Some("all 7")), named);
        let position = Position::of(Some(&PageToken::new("all 7")), false);
        assert_eq!(position.token.as_deref(), Some("all 7"));
        assert_eq!(next(Some("x"), false, 100, None), NextPage::End);
    }

    #[test]
    fn list_by_tags_that_ends_at_the_limit_continues_without_tags() {
        let named = |token: &str| NextPage::Named(PageToken::new(token));
        assert_eq!(next(None, true, 100, Some("t")), named("100 t"));
        assert_eq!(next(Some("100 t"), true, 100, Some("u")), named("200 u"));
        assert_eq!(next(Some("200 u"), true, 99, None), NextPage::End);
        assert_eq!(next(Some("900 u"), true, 99, None), NextPage::End);
        assert_eq!(next(Some("900 u"), true, 100, None), named("all"));
        assert_eq!(next(Some("1000 u"), true, 50, None), NextPage::End);
        assert_eq!(next(Some("all"), true, 100, Some("t")), named("all t"));
        assert_eq!(next(Some("all t"), true, 100, Some("u")), named("all u"));
        assert_eq!(next(Some("all u"), true, 100, None), NextPage::End);
        let position = Position::of(Some(&PageToken::new("all a b")), true);
        assert_eq!(position.selection, Selection::All);
        assert_eq!(position.token.as_deref(), Some("a b"));
    }
}
