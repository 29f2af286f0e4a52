//! Tests of the end of a list: complete, or a defect.

use std::ops::Range;

use lifecycle_core::{InstanceId, PowerState};

use super::*;

fn rows(numbers: Range<usize>) -> ListPage {
    numbers
        .map(|n| {
            let id = InstanceId::new(&format!("i-{n}")).unwrap();
            Some(Observation::new(id, PowerState::Running, "Running"))
        })
        .collect()
}

fn named(token: &str) -> NextPage {
    NextPage::Named(PageToken::new(token))
}

fn expected(token: &str) -> NextPage {
    NextPage::Expected(PageToken::new(token))
}

fn possible(token: &str) -> NextPage {
    NextPage::Possible(PageToken::new(token))
}

/// Records pages up to the end of the list. Returns the number of pages and of instances, and the
/// last step.
fn read(pages: impl IntoIterator<Item = ListPage>) -> (usize, usize, Continuation) {
    read_with(ListTracker::default(), pages)
}

/// Records pages with `tracker`, as [`read`] does.
fn read_with(
    mut tracker: ListTracker,
    pages: impl IntoIterator<Item = ListPage>,
) -> (usize, usize, Continuation) {
    let (mut count, mut listed) = (0, 0);
    for page in pages {
        let (rows, step) = tracker.record(page);
        count += 1;
        listed += rows.len();
        if !matches!(step, Continuation::Page(_)) {
            return (count, listed, step);
        }
    }
    panic!("the list goes on after {count} pages");
}

#[test]
fn short_pages_are_followed_until_the_total_is_reached() {
    let page = |n: usize| {
        rows(25 * n..25 * (n + 1))
            .with_total(Some(100))
            .with_next(possible(&n.to_string()))
    };
    assert_eq!(read((0..9).map(page)), (4, 100, Continuation::End));
}

#[test]
fn short_pages_without_total_are_followed_until_a_page_is_empty() {
    let page = |n: usize| match n {
        0..3 => rows(25 * n..25 * (n + 1)).with_next(possible(&n.to_string())),
        _ => ListPage::default().with_next(possible("x")),
    };
    assert_eq!(read((0..9).map(page)), (4, 75, Continuation::End));
}

#[test]
fn list_ends_at_the_first_page_without_a_new_instance() {
    for next in [expected, possible] {
        let again = |n: usize, total| {
            rows(0..100)
                .with_total(total)
                .with_next(next(&n.to_string()))
        };
        for (total, step) in [
            (
                Some(230),
                Continuation::Fail(ListDefect::FewerThanTotal { total: 230 }),
            ),
            (None, Continuation::Fail(ListDefect::NothingNew)),
        ] {
            assert_eq!(read((0..9).map(|n| again(n, total))), (2, 100, step));
        }
    }
    let again = |n: usize| {
        rows(0..100)
            .with_total(Some(100))
            .with_next(expected(&n.to_string()))
    };
    assert_eq!(read((0..9).map(again)), (2, 100, Continuation::End));
}

#[test]
fn full_page_is_followed_although_the_total_is_reached() {
    let page = |n: usize| match n {
        0 | 1 => rows(100 * n..100 * (n + 1)).with_next(expected(&n.to_string())),
        _ => rows(200..230).with_next(possible("end")),
    };
    let pages = (0..9).map(|n| page(n).with_total(Some(100)));
    assert_eq!(read(pages), (3, 230, Continuation::End));
}

#[test]
fn named_pages_may_be_empty_a_few_times_but_not_for_ever() {
    let empty = |n: usize| ListPage::default().with_next(named(&n.to_string()));
    let few = (0..3).map(empty).chain([rows(0..5)]);
    assert_eq!(read(few), (4, 5, Continuation::End));
    let endless = (0..99).map(empty);
    assert_eq!(
        read(endless),
        (11, 0, Continuation::Fail(ListDefect::NothingNew))
    );
}

#[test]
fn named_page_that_repeats_instances_fails_a_list_without_conditions_on_tags_at_once() {
    for (may_begin_again, expected) in [(false, 2), (true, 12)] {
        let repeated = (0..99).map(|n| rows(0..5).with_next(named(&n.to_string())));
        let tracker = ListTracker {
            may_begin_again,
            ..ListTracker::default()
        };
        let step = Continuation::Fail(ListDefect::NothingNew);
        assert_eq!(read_with(tracker, repeated), (expected, 5, step));
    }
}

#[test]
fn repeated_page_whose_position_the_cloud_did_not_name_may_be_followed_by_a_named_page() {
    // The cloud ignores the marker, and the provider goes on with page numbers.
    let pages = [
        rows(0..25).with_next(possible("i-24")),
        rows(0..25).with_next(named("page 2")),
        rows(25..30).with_next(possible("page 3")),
        ListPage::default(),
    ];
    assert_eq!(read(pages), (4, 30, Continuation::End));
}

#[test]
fn repeated_position_ends_the_list_at_once() {
    let page = |n: usize| rows(n..n + 1).with_next(named("same"));
    assert_eq!(
        read((0..9).map(page)),
        (2, 2, Continuation::Fail(ListDefect::NothingNew))
    );
}

#[test]
fn row_without_id_fails_the_list_after_the_last_page() {
    let pages = [
        rows(0..4).with_unidentified(1).with_next(named("2")),
        rows(4..8).with_total(Some(9)),
    ];
    assert_eq!(
        read(pages),
        (
            2,
            8,
            Continuation::Fail(ListDefect::Unidentified { rows: 1 })
        )
    );
}

#[test]
fn page_without_position_fails_the_list() {
    let page = rows(0..4).with_next(NextPage::Unnamed);
    assert_eq!(
        read([page]),
        (1, 4, Continuation::Fail(ListDefect::NextPageUnnamed))
    );
}

#[test]
fn deletion_between_numbered_pages_fails_the_list_and_between_other_pages_does_not() {
    let pages = |numbered: bool| {
        let page = |page: ListPage| match numbered {
            true => page.with_numbered_pages(),
            false => page,
        };
        [
            page(rows(0..100).with_total(Some(150)).with_next(expected("2"))),
            page(
                rows(101..150)
                    .with_total(Some(149))
                    .with_next(possible("3")),
            ),
            page(ListPage::default().with_next(possible("4"))),
        ]
    };
    assert_eq!(read(pages(false)), (3, 149, Continuation::End));
    assert_eq!(
        read(pages(true)),
        (
            3,
            149,
            Continuation::Fail(ListDefect::FewerThanTotal { total: 150 })
        )
    );
}

#[test]
fn higher_total_of_a_later_page_does_not_fail_a_list_that_goes_on_after_the_last_row() {
    // While the list is read, five instances before the second page begin to match the filter.
    let pages = [
        rows(0..100).with_total(Some(168)).with_next(expected("2")),
        rows(105..173)
            .with_total(Some(173))
            .with_next(possible("3")),
        ListPage::default()
            .with_total(Some(173))
            .with_next(possible("4")),
    ];
    assert_eq!(read(pages), (3, 168, Continuation::End));
}

#[test]
fn lower_total_of_a_later_page_does_not_end_the_list_early() {
    let pages = [
        rows(0..100).with_total(Some(150)).with_next(expected("2")),
        // An instance of the first page is deleted, and this page is shorter than asked.
        rows(100..149)
            .with_total(Some(149))
            .with_next(possible("3")),
        rows(149..150)
            .with_total(Some(149))
            .with_next(possible("4")),
    ];
    assert_eq!(read(pages), (3, 150, Continuation::End));
}

#[test]
fn total_of_zero_beyond_the_end_does_not_hide_missing_instances() {
    let pages = [
        rows(0..100).with_total(Some(230)).with_next(expected("2")),
        ListPage::default()
            .with_total(Some(0))
            .with_next(possible("3")),
    ];
    assert_eq!(
        read(pages),
        (
            2,
            100,
            Continuation::Fail(ListDefect::FewerThanTotal { total: 230 })
        )
    );
}

#[test]
fn instance_of_an_earlier_page_is_left_out() {
    let mut tracker = ListTracker::default();
    tracker.record(rows(0..3).with_next(named("2")));
    let (fresh, _) = tracker.record(rows(2..5));
    let ids: Vec<&str> = fresh.iter().map(|row| row.instance.as_str()).collect();
    assert_eq!(ids, ["i-3", "i-4"]);
}

#[test]
fn named_page_is_followed_although_the_total_is_reached() {
    let pages = [
        rows(0..100).with_total(Some(100)).with_next(named("2")),
        rows(100..120).with_total(Some(100)),
    ];
    assert_eq!(read(pages), (2, 120, Continuation::End));
}

#[test]
fn named_page_without_a_new_instance_ends_the_list_if_the_total_is_reached() {
    for total in [100, 101] {
        let page = |n: usize| {
            rows(0..100)
                .with_total(Some(total))
                .with_next(named(&n.to_string()))
        };
        let expected = match total {
            100 => (2, 100, Continuation::End),
            _ => (2, 100, Continuation::Fail(ListDefect::NothingNew)),
        };
        assert_eq!(read((0..99).map(page)), expected, "total {total}");
    }
}

#[test]
fn row_without_id_counts_for_the_total() {
    let page = rows(0..4)
        .with_unidentified(1)
        .with_total(Some(5))
        .with_next(possible("2"));
    let defect = ListDefect::Unidentified { rows: 1 };
    assert_eq!(read([page]), (1, 4, Continuation::Fail(defect)));
}

#[test]
fn empty_page_in_front_of_the_first_instance_ends_a_list_of_expected_pages() {
    let page = ListPage::default().with_next(expected("2"));
    assert_eq!(read([page]), (1, 0, Continuation::End));
}
