//! Lists and single instances.

use super::*;
use crate::{State, Trouble, testing::add};

fn listed(site: &mut Site, query: &str, scope: Scope) -> (Vec<String>, Value) {
    let (status, body) = perform(
        site,
        &received("GET", &format!("/v2/instance{query}"), &[], ""),
        scope,
    );
    assert_eq!(status, 200, "{body}");
    let ids = body["instances"].as_array().unwrap();
    let ids = ids.iter().map(|i| i["id"].as_str().unwrap().to_owned());
    (ids.collect(), body)
}

#[test]
fn lists_have_pages() {
    let mut site = site(Cloud::Baidu);
    let mut all = add(&mut site, "bj", 5, State::Running, None);
    let other = add(&mut site, "gz", 2, State::Stopped, None);
    all.extend(add(&mut site, "bj", 2, State::Running, None));
    let region = site.scope("bj");

    let mut seen = Vec::new();
    let mut query = "?maxKeys=3".to_owned();
    loop {
        let (ids, body) = listed(&mut site, &query, region);
        seen.extend(ids);
        let Some(next) = body["nextMarker"].as_str() else {
            assert_eq!(body["isTruncated"], false);
            break;
        };
        assert_eq!(body["isTruncated"], true);
        query = format!("?maxKeys=3&marker={next}");
    }
    assert_eq!(seen, all);

    let (everything, body) = listed(&mut site, "", Scope::Everywhere);
    assert_eq!(everything.len(), 9);
    assert_eq!(body["maxKeys"], 1000);
    assert_eq!(
        listed(&mut site, "?status=Stopped,Expired", Scope::Everywhere).0,
        other
    );
    let wanted = format!("?instanceIds={},{}", all[1], other[0]);
    assert_eq!(listed(&mut site, &wanted, region).0, [all[1].clone()]);
    let nowhere = site.scope("su");
    assert_eq!(listed(&mut site, "", nowhere).0, Vec::<String>::new());

    // A full last page is the last page.
    let (ids, body) = listed(&mut site, "?maxKeys=7", region);
    assert_eq!((ids.len(), &body["isTruncated"]), (7, &json!(false)));
    // Deleted instances are gone from lists and totals.
    let index = site.find(region, &all[6]).unwrap();
    site.delete(index);
    assert_eq!(listed(&mut site, "", region).0, all[..6]);
}

#[test]
fn every_state_has_a_word_and_the_card_count_is_a_text() {
    for (state, trouble, word) in [
        (State::Starting, None, "Starting"),
        (State::Stopping, None, "Stopping"),
        (State::Rebooting, None, "Starting"),
        (State::Stopped, Some(Trouble::Creating), "Starting"),
        (State::Stopped, Some(Trouble::Changing), "Scaling"),
        (State::Stopped, Some(Trouble::Expired), "Expired"),
        (State::Stopped, Some(Trouble::Failed), "Error"),
        (State::Stopped, Some(Trouble::Recycled), "Recycled"),
        (State::Running, Some(Trouble::Locked), "Running"),
    ] {
        let mut site = site(Cloud::Baidu);
        let ids = add(&mut site, "bj", 1, state, trouble);
        assert_eq!(status(&mut site, &ids[0]), word);
        let (_, body) = listed(&mut site, "", Scope::Everywhere);
        assert_eq!(body["instances"][0]["cardCount"], "0");
    }
}
