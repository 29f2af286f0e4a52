//! Lists and single instances.

use super::*;
use crate::{State, Trouble, testing::add, zenlayer::switches::*};

fn described(site: &mut Site, action: &str, body: &Value) -> (Vec<String>, u64) {
    let (status, answer) = ask(site, &call(action, body));
    assert_eq!(status, 200, "{answer}");
    let answer = &answer["response"];
    let rows = answer["dataSet"].as_array().unwrap();
    let rows = rows
        .iter()
        .map(|row| row["instanceId"].as_str().unwrap().to_owned());
    (rows.collect(), answer["totalCount"].as_u64().unwrap())
}

#[test]
fn describes_have_pages() {
    let mut site = site(Cloud::Zenlayer);
    let mut all = add(&mut site, "asia-southeast-1", 30, State::Running, None);
    all.extend(add(&mut site, "europe-west-1", 3, State::Stopped, None));
    for action in ["DescribeInstancesStatus", "DescribeInstances"] {
        assert_eq!(
            described(&mut site, action, &json!({})),
            (all[..20].to_vec(), 33)
        );
        let second = json!({"pageSize": 30, "pageNum": 2});
        assert_eq!(
            described(&mut site, action, &second),
            (all[30..].to_vec(), 33)
        );
        let third = json!({"pageSize": 30, "pageNum": 3});
        assert_eq!(described(&mut site, action, &third), (vec![], 33));

        let named = json!({ "instanceIds": all[..25] });
        assert_eq!(
            described(&mut site, action, &named),
            (all[..20].to_vec(), 25)
        );
        let rest = json!({ "instanceIds": all[..25], "pageNum": 2 });
        assert_eq!(
            described(&mut site, action, &rest),
            (all[20..25].to_vec(), 25)
        );
        site.switches.zenlayer.ids_page = IdsPage::All;
        assert_eq!(
            described(&mut site, action, &named),
            (all[..25].to_vec(), 25)
        );
        site.switches.zenlayer.ids_page = IdsPage::Default;

        site.switches.zenlayer.order = Order::Reversed;
        let backwards = [all[1].clone(), all[0].clone()].to_vec();
        assert_eq!(
            described(&mut site, action, &json!({"pageSize": 2})),
            (backwards, 33)
        );
        site.switches.zenlayer.order = Order::Made;

        let one_unknown = json!({"instanceIds": ["1", all[4]]});
        assert_eq!(
            described(&mut site, action, &one_unknown),
            (vec![all[4].clone()], 1)
        );
    }
    let second = json!({"status": "STOPPED", "pageSize": 2, "pageNum": 2});
    let found = described(&mut site, "DescribeInstances", &second);
    assert_eq!(found, (vec![all[32].clone()], 3));
    let filters = json!({"status": "STOPPED", "zoneId": "europe-west-1a", "name": "000031"});
    let found = described(&mut site, "DescribeInstances", &filters);
    assert_eq!(found, (vec![all[31].clone()], 1));

    site.switches.zenlayer.unknown_in_describe = UnknownInDescribe::Refused;
    for (how, expected) in [
        (UnknownId::InstanceNotFound, "INVALID_INSTANCE_NOT_FOUND"),
        (
            UnknownId::ResourceNotFound,
            "OPERATION_FAILED_RESOURCE_NOT_FOUND",
        ),
    ] {
        site.switches.zenlayer.unknown_id = how;
        let answer = ask(&mut site, &ids("DescribeInstances", &["1".to_owned()]));
        assert_eq!(code(&answer), (404, expected));
    }
}

#[test]
fn every_state_has_a_word_in_both_describes() {
    for (state, trouble, word) in [
        (State::Stopped, Some(Trouble::Creating), "DEPLOYING"),
        (State::Stopped, Some(Trouble::Changing), "RESIZING"),
        (State::Stopped, Some(Trouble::Expired), "STOPPED"),
        (State::Stopped, Some(Trouble::Failed), "CREATE_FAILED"),
        (State::Stopped, Some(Trouble::Recycled), "RECYCLE"),
        (State::Running, Some(Trouble::Locked), "RUNNING"),
    ] {
        let mut site = site(Cloud::Zenlayer);
        let vm = add(&mut site, "asia-southeast-1", 1, state, trouble);
        assert_eq!(status(&mut site, &vm[0]), word);
        let (_, body) = ask(&mut site, &ids("DescribeInstances", &vm));
        assert_eq!(body["response"]["dataSet"][0]["status"], word);
    }
    let mut site = site(Cloud::Zenlayer);
    site.switches.zenlayer.recycled = Recycled::Recycled;
    let vm = add(
        &mut site,
        "asia-southeast-1",
        1,
        State::Stopped,
        Some(Trouble::Recycled),
    );
    assert_eq!(status(&mut site, &vm[0]), "RECYCLED");
}
