use std::collections::HashMap;

use super::*;
use crate::Reach;

#[derive(Debug, Default)]
struct Toy {
    variables: HashMap<&'static str, &'static str>,
}

impl Machine for Toy {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|value| (*value).to_owned())
    }

    fn file(&self, path: &str, _: Holds) -> Result<Option<String>, String> {
        match path {
            "locked" => Err("cannot be read: permission denied".to_owned()),
            _ => Ok(None),
        }
    }
}

fn around(toy: &Toy) -> Surroundings<'_> {
    Surroundings::new(toy, Stamp::from_unix(0, 0))
}

const SETS: &[KeyVariables] = &[
    KeyVariables::Keys {
        id: "A_ID",
        secret: "A_SECRET",
        session: Some("A_SESSION"),
    },
    KeyVariables::Token("B_TOKEN"),
];

fn read(variables: &[(&'static str, &'static str)]) -> Step<Grant> {
    let toy = Toy {
        variables: variables.iter().copied().collect(),
    };
    Variables::new(SETS).begin(&around(&toy))
}

fn done(step: Step<Grant>) -> Grant {
    match step {
        Step::Done(grant) => grant,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_complete_set_counts() {
    let grant = done(read(&[
        ("A_ID", " id\n"),
        ("A_SECRET", "s"),
        ("B_TOKEN", "t"),
    ]));
    assert_eq!(grant.found, "variable A_ID");
    assert!(matches!(grant.credential, Credential::Keys { id, session: None, .. } if id == "id"));
    let grant = done(read(&[
        ("A_ID", "id"),
        ("A_SECRET", "s"),
        ("A_SESSION", "x"),
    ]));
    assert!(matches!(
        grant.credential,
        Credential::Keys {
            session: Some(_),
            ..
        }
    ));
    let grant = done(read(&[("A_ID", ""), ("B_TOKEN", "t")]));
    assert!(matches!(grant.credential, Credential::Token(_)));
}

#[test]
fn what_is_missing_is_named() {
    match read(&[]) {
        Step::Absent(why) => assert_eq!(why, "A_ID and A_SECRET, or B_TOKEN are not set"),
        other => panic!("{other:?}"),
    }
    match read(&[("A_SECRET", "s")]) {
        Step::Failed(fault) => assert_eq!(
            fault.message(),
            "A_SECRET is set, but A_ID is not: set both, or neither"
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let toy = Toy::default();
    let fault = around(&toy).secret_file("locked").unwrap_err();
    assert_eq!(fault.message(), "locked cannot be read: permission denied");
}

/// Asks once, and then has nothing.
#[derive(Debug)]
struct Empty;

impl Origin for Empty {
    fn name(&self) -> String {
        "empty".to_owned()
    }

    fn wants(&self) -> String {
        "a miracle".to_owned()
    }

    fn begin(&self, _: &Surroundings<'_>) -> Step<Grant> {
        let request = http::Request::new(bytes::Bytes::new());
        Step::ask("Look", Reach::Metadata, request, |reply, _| match reply {
            Ok(_) => Step::Absent("nobody is there".to_owned()),
            Err(fault) => Step::Failed(fault),
        })
    }
}

#[test]
fn a_chain_goes_on_where_nothing_is_set_up_and_stops_at_a_fault() {
    let toy = Toy {
        variables: [("B_TOKEN", "t")].into(),
    };
    let around = around(&toy);
    let ask = || match FirstOf::new(vec![Box::new(Empty), Box::new(Variables::new(SETS))])
        .begin(&around)
    {
        Step::Ask(ask) => ask,
        other => panic!("{other:?}"),
    };
    let reply = Reply {
        status: 404,
        headers: http::HeaderMap::new(),
        body: bytes::Bytes::new(),
    };
    assert_eq!(
        done(ask().then(Ok(reply), &around)).found,
        "variable B_TOKEN"
    );
    let fault = Fault::new(FaultKind::NoAnswer, "silence");
    assert!(matches!(ask().then(Err(fault), &around), Step::Failed(_)));
}

#[test]
fn a_result_leads_on() {
    let toy = Toy {
        variables: [("B_TOKEN", "t")].into(),
    };
    let around = around(&toy);
    let step = Variables::new(SETS)
        .begin(&around)
        .and_then(&around, |grant, _| Step::Done(grant.found_by("exchange")));
    assert_eq!(done(step).found, "exchange, variable B_TOKEN");
}

#[test]
fn expiries_are_read_or_refused() {
    let reply = Reply {
        status: 200,
        headers: http::HeaderMap::new(),
        body: bytes::Bytes::from_static(br#"{"SecretAccessKey": "hidden", "Expiration": "soon"}"#),
    };
    let expected = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_763_769_600);
    for text in ["2025-11-22T00:00:00Z", "2025-11-22T00:00:00.000000Z"] {
        assert_eq!(read_expiry(text, &reply), Ok(expected));
    }
    let fault = read_expiry("soon", &reply).unwrap_err();
    assert!(fault.message().contains("\"soon\" is no time"), "{fault}");
    assert!(!fault.message().contains("hidden"), "{fault}");
}
