//! Tests of the state of the shared queue: each step at an exact time, without a `SharedRateLimit`.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn state() -> QueueState {
    QueueState::new(fastrand::Rng::with_seed(1))
}

fn rate(per_second: f64, version: u64, cuts: u64) -> SharedRate {
    SharedRate {
        rate: AdaptiveRate::new(per_second),
        version,
        cuts,
    }
}

/// Returns a lease of a bucket with this rate per second, and with `tokens` before the lease.
fn lease(permits: u32, tokens: f64, per_second: f64) -> PermitLease {
    PermitLease {
        permits,
        tokens,
        closed_for: Duration::ZERO,
        rate: rate(per_second, 1, 0),
        sharers: 1,
        rejected_keys: Vec::new(),
    }
}

/// Returns the next step as text, with times relative to `start` in milliseconds.
fn step(state: &mut QueueState, waiting: u32, start: Instant, after: Duration) -> String {
    match state.next(waiting, start + after) {
        Next::Use(SharedPermit::Leased { cuts, queued }) => {
            format!("use {cuts} {}", if queued { "queued" } else { "at once" })
        }
        Next::Use(SharedPermit::Alone(..)) => unreachable!("the limiter issues the permit"),
        Next::Sleep(until) => format!("sleep {}", (until - start).as_millis()),
        Next::Lease(permits) => format!("lease {permits}"),
        Next::Alone(_) => "alone".to_owned(),
    }
}

#[test]
fn permits_are_used_at_the_times_of_their_tokens() {
    let (mut state, now) = (state(), Instant::now());
    assert_eq!(step(&mut state, 9, now, Duration::ZERO), "lease 1");
    assert!(!state.has_permits());
    state.leased(&lease(3, 1.5, 10.0), None, now);
    assert!(state.has_permits());
    let mut next = |after| step(&mut state, 1, now, millis(after));
    assert_eq!(next(0), "use 0 at once");
    assert_eq!(next(0), "sleep 50");
    assert_eq!(next(49), "sleep 50");
    assert_eq!(next(50), "use 0 queued");
    assert_eq!(next(50), "sleep 150");
    assert_eq!(next(160), "use 0 queued");
    assert_eq!(next(160), "lease 2", "a quarter of a second has two tokens");
}

#[test]
fn permit_is_queued_after_a_lease_without_permits() {
    let (mut state, now) = (state(), Instant::now());
    state.leased(&lease(0, 0.0, 10.0), None, now);
    state.leased(&lease(1, 1.0, 10.0), None, now);
    assert_eq!(step(&mut state, 1, now, Duration::ZERO), "use 0 queued");
    state.leased(&lease(1, 1.0, 10.0), None, now);
    assert_eq!(step(&mut state, 1, now, Duration::ZERO), "use 0 at once");
}

#[test]
fn number_of_permits_follows_the_calls_up_to_the_share() {
    let (mut state, now) = (state(), Instant::now());
    let mut next = |used: u32, sharers, waiting, after| {
        state.leased(
            &PermitLease {
                sharers,
                ..lease(used, f64::from(used), 100.0)
            },
            None,
            now,
        );
        for _ in 0..used {
            assert_eq!(step(&mut state, 1, now, Duration::ZERO), "use 0 at once");
        }
        step(&mut state, waiting, now, after)
    };
    // A quarter of a second has 25 tokens.
    assert_eq!(next(1, 1, 0, SECOND), "lease 1");
    assert_eq!(next(1, 1, 10, SECOND), "lease 10");
    assert_eq!(next(1, 1, 90, SECOND), "lease 25");
    assert_eq!(next(1, 5, 90, SECOND), "lease 5");
    // The calls of the last two seconds, for a quarter of a second.
    assert_eq!(next(64, 1, 0, 2 * SECOND), "lease 8");
    assert_eq!(next(64, 1, 9, 2 * SECOND), "lease 9");
}

#[test]
fn empty_bucket_is_asked_again_a_quarter_of_a_second_before_the_next_token() {
    for (tokens, per_second, expected) in [
        (0.0, 10.0, "sleep 1"),
        (0.0, 1.0, "sleep 750"),
        (-1.0, 1.0, "sleep 1750"),
        (0.5, 0.5, "sleep 750"),
        (0.0, 0.0001, "sleep 99750"),
        (-9.0, 0.0001, "sleep 299750"),
    ] {
        let (mut state, now) = (state(), Instant::now());
        state.leased(&lease(0, tokens, per_second), None, now);
        let found = step(&mut state, 1, now, Duration::ZERO);
        assert_eq!(found, expected, "{tokens} at {per_second}");
        let at = millis(expected.strip_prefix("sleep ").unwrap().parse().unwrap());
        assert_eq!(step(&mut state, 1, now, at), "lease 1");
    }
}

#[test]
fn several_sharers_ask_at_different_times_over_a_few_tokens() {
    for (sharers, per_second, wait) in [(3_u32, 0.5, 1_750.0), (2, 2.0, 250.0), (5, 100.0, 0.0)] {
        for seed in 0..20 {
            let chance = fastrand::Rng::with_seed(seed).f64();
            let mut state = QueueState::new(fastrand::Rng::with_seed(seed));
            let now = Instant::now();
            let lease = PermitLease {
                sharers,
                ..lease(0, 0.0, per_second)
            };
            state.leased(&lease, None, now);
            let Next::Sleep(until) = state.next(1, now) else {
                panic!("no token");
            };
            let tokens = f64::from(sharers - 1) * chance;
            let spread = (1_000.0 * tokens / per_second).min(f64::max(250.0, wait));
            let expected = f64::max(wait + spread, 1.0);
            let found = (until - now).as_secs_f64() * 1_000.0;
            assert!((found - expected).abs() < 0.01, "{found} {expected}");
        }
    }
}

#[test]
fn closed_bucket_is_asked_again_at_the_end_of_the_pause() {
    for (closed_for, expected) in [(5 * SECOND, 5), (900 * SECOND, 300)] {
        let (mut state, now) = (state(), Instant::now());
        let closed = PermitLease {
            closed_for,
            ..lease(0, 0.0, 0.1)
        };
        state.leased(&closed, None, now);
        let sleep = format!("sleep {expected}000");
        assert_eq!(step(&mut state, 1, now, Duration::ZERO), sleep);
        let end = expected * SECOND;
        assert_eq!(step(&mut state, 1, now, end - millis(1)), sleep);
        assert_eq!(step(&mut state, 1, now, end), "lease 1");
    }
}

#[test]
fn unused_permit_is_given_back_after_a_quarter_of_a_second() {
    let (mut state, now) = (state(), Instant::now());
    state.leased(&lease(2, 1.0, 10.0), None, now);
    // Permits under way are watched until their use or their end.
    let feedback = state.take_feedback(now + millis(249)).unwrap();
    assert_eq!(feedback.unused, 0);
    let feedback = state.take_feedback(now + millis(250)).unwrap();
    assert_eq!(feedback.unused, 1);
    assert_eq!(feedback.seen, Some(rate(10.0, 1, 0)));
    let feedback = state.take_feedback(now + millis(350)).unwrap();
    assert_eq!(feedback.unused, 1);
    assert!(state.take_feedback(now + SECOND).is_none());
}

#[test]
fn permit_from_before_a_cut_is_not_given_back() {
    let (mut state, now) = (state(), Instant::now());
    state.leased(&lease(2, 2.0, 10.0), None, now);
    state.see(rate(5.0, 2, 1));
    assert!(state.take_feedback(now + SECOND).is_none());
    assert!(!state.has_permits());
}

#[test]
fn older_rate_does_not_replace_a_newer_one() {
    let mut state = state();
    assert_eq!((state.per_second(), state.version()), (None, None));
    for (version, per_second, expected) in [
        (2, 20.0, (20.0, 2)),
        (1, 10.0, (20.0, 2)),
        (3, 30.0, (30.0, 3)),
        (3, 40.0, (40.0, 3)),
    ] {
        state.see(rate(per_second, version, 0));
        let (per_second, version) = (state.per_second(), state.version());
        assert_eq!(per_second.zip(version), Some(expected));
    }
}

#[test]
fn cut_by_another_sharer_drops_the_results_and_another_change_keeps_them() {
    let (mut state, now) = (state(), Instant::now());
    state.see(rate(10.0, 1, 0));
    assert!(state.succeeded(0, true));
    state.see(rate(11.0, 2, 0));
    assert_eq!(state.feedback.queued_successes, 1);
    state.throttled(0, None, now);
    state.feedback.unused = 3;
    state.see(rate(5.0, 3, 1));
    let dropped = &state.feedback;
    let counts = [dropped.successes, dropped.queued_successes, dropped.unused];
    assert_eq!((counts, dropped.is_throttled), ([0; 3], false));
    assert!(state.take_feedback(now).is_none());
}

#[test]
fn success_is_counted_for_the_present_rate_only() {
    let (mut state, now) = (state(), Instant::now());
    assert!(!state.succeeded(0, true), "no lease so far");
    state.see(rate(10.0, 1, 4));
    assert!(!state.succeeded(3, true), "from before the last cut");
    assert!(state.take_feedback(now).is_none());
    assert!(state.succeeded(4, false));
    assert!(state.succeeded(4, true));
    let feedback = state.take_feedback(now).unwrap();
    let counts = (feedback.successes, feedback.queued_successes);
    assert_eq!(counts, (2, 1));
    state.throttled(4, None, now);
    assert!(!state.succeeded(4, true), "the rate is about to be cut");
    assert_eq!(state.feedback.successes, 0);
}

#[test]
fn success_of_a_calm_rate_is_reported_only_if_the_call_was_queued() {
    let mut state = state();
    let mut calm = rate(10.0, 1, 0);
    calm.rate.successes_since_cut = CALM_SUCCESSES;
    state.see(calm);
    assert!(!state.succeeded(0, false));
    assert!(state.take_feedback(Instant::now()).is_none());
    assert!(state.succeeded(0, true));
    assert!(state.take_feedback(Instant::now()).is_some());
}

#[test]
fn throttled_call_closes_the_queue_and_drops_its_permits() {
    let (mut state, now) = (state(), Instant::now());
    state.leased(&lease(2, 2.0, 10.0), None, now);
    state.throttled(7, None, now);
    assert!(
        state.has_permits() && !state.feedback.is_throttled,
        "from another rate"
    );
    state.throttled(0, Some(7 * SECOND), now);
    assert!(!state.has_permits() && state.feedback.is_throttled);
    state.throttled(0, Some(3 * SECOND), now);
    assert_eq!(state.feedback.closed_until, Some(now + 7 * SECOND));
    assert_eq!(step(&mut state, 1, now, Duration::ZERO), "sleep 7000");
    state.throttled(0, Some(900 * SECOND), now);
    assert_eq!(state.feedback.closed_until, Some(now + 300 * SECOND));
}

#[test]
fn each_kind_of_result_is_reported_and_no_result_is_not() {
    let now = Instant::now();
    assert!(state().take_feedback(now).is_none());
    let changes: [fn(&mut Feedback, Instant); 4] = [
        |feedback, _| {
            feedback.rejected_keys.push(RejectedKey {
                digest: "digest".to_owned(),
                code: None,
            });
        },
        |feedback, now| feedback.closed_until = Some(now),
        |feedback, _| feedback.unused = 1,
        |feedback, _| feedback.is_throttled = true,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut state = state();
        state.see(rate(10.0, 1, 0));
        assert!(state.take_feedback(now).is_none());
        change(&mut state.feedback, now);
        let feedback = state.take_feedback(now);
        assert!(feedback.is_some_and(|it| it.seen == state.seen), "{number}");
        assert!(state.take_feedback(now).is_none(), "reported once");
    }
}

#[test]
fn results_change_the_rate_as_at_one_client() {
    let rate = AdaptiveRate::new(10.0);
    let calm = AdaptiveRate {
        successes_since_cut: CALM_SUCCESSES,
        ..rate
    };
    let results = |successes, queued_successes, is_throttled| Feedback {
        successes,
        queued_successes,
        is_throttled,
        ..Feedback::default()
    };
    assert_eq!(results(0, 0, false).apply(rate), None);
    assert_eq!(results(3, 0, false).apply(calm), None);
    let counted = results(3, 0, false).apply(rate).unwrap();
    assert_eq!((counted.per_second, counted.successes_since_cut), (10.0, 3));
    let climbed = results(2, 2, false).apply(calm).unwrap();
    let mut expected = calm;
    for _ in 0..2 {
        expected.count_success();
        expected.climb_by_one_call();
    }
    assert_eq!(climbed, expected);
    assert!(climbed.per_second > 10.0);
    assert_eq!(results(0, 0, true).apply(rate).unwrap().per_second, 5.0);
    assert_eq!(results(0, 0, true).apply(calm).unwrap().per_second, 9.0);
}

#[test]
fn share_without_the_bucket_is_the_known_rate_by_sharers_or_a_tenth() {
    let configured = Rate::new(20.0, 20);
    let mut state = state();
    assert_eq!(state.safe_share(configured), Rate::new(2.0, 1));
    let lease = PermitLease {
        sharers: 4,
        ..lease(1, 1.0, 12.0)
    };
    state.leased(&lease, None, Instant::now());
    assert_eq!(state.safe_share(configured), Rate::new(3.0, 1));
}

#[test]
fn queue_without_the_bucket_keeps_the_rejected_keys_and_no_other_result() {
    let (mut state, now) = (state(), Instant::now());
    assert!(!state.is_joined() && !state.is_alone());
    state.leased(&lease(2, 2.0, 10.0), None, now);
    assert!(state.is_joined() && !state.is_alone());
    let key = RejectedKey {
        digest: "digest".to_owned(),
        code: None,
    };
    state.feedback.rejected_keys.push(key.clone());
    state.succeeded(0, true);
    state.limit_alone(Arc::new(RateLimiter::capped(Rate::new(3.0, 1))));
    assert!(!state.is_joined() && state.is_alone());
    assert!(!state.has_permits());
    assert_eq!(state.per_second(), Some(3.0));
    assert_eq!(state.feedback.rejected_keys, [key]);
    assert_eq!(state.feedback.successes, 0);
    assert_eq!(step(&mut state, 1, now, Duration::ZERO), "alone");
    state.limit_together();
    assert!(state.is_joined() && !state.is_alone());
    assert_eq!(state.per_second(), Some(10.0));
}

#[test]
fn rate_of_a_bucket_that_was_lost_and_created_again_replaces_the_rate_from_before() {
    let (mut state, now) = (state(), Instant::now());
    state.see(rate(20.0, 7, 3));
    state.throttled(3, None, now);
    // The numbers of the new bucket begin at 0.
    let mut first_lease = lease(0, 0.0, 5.0);
    first_lease.rate = rate(5.0, 0, 0);
    state.leased(&first_lease, Some(7), now);
    assert_eq!(state.per_second(), Some(5.0));
    assert!(!state.feedback.is_throttled, "by the lost bucket");
    assert!(state.succeeded(0, true));
    state.throttled(0, None, now);
    assert!(state.feedback.is_throttled);
}

#[test]
fn lease_that_arrives_after_a_newer_rate_does_not_replace_the_newer_rate() {
    let (mut state, now) = (state(), Instant::now());
    state.see(rate(20.0, 7, 3));
    let mut late = lease(0, 0.0, 10.0);
    late.rate = rate(10.0, 6, 3);
    state.leased(&late, Some(5), now);
    assert_eq!(state.per_second(), Some(20.0));
}

#[test]
fn result_from_before_a_cut_by_another_client_does_not_change_the_rate_after_a_failure() {
    let (mut state, now) = (state(), Instant::now());
    state.see(rate(20.0, 7, 3));
    state.limit_alone(Arc::new(RateLimiter::capped(Rate::new(2.0, 1))));
    state.throttled(3, None, now);
    let mut cut = lease(0, 0.0, 10.0);
    cut.rate = rate(10.0, 8, 4);
    state.leased(&cut, Some(7), now);
    state.limit_together();
    assert!(!state.feedback.is_throttled);
}
