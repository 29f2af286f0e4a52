//! The lower envelope of a trade-off: the best mix of alternatives that each trade one cost for
//! another.

/// The lower envelope of a set of points: the lowest `y` that a mix of points reaches at each `x`.
#[derive(Debug)]
pub(crate) struct Curve(Vec<(f64, f64)>);

impl Curve {
    /// Returns the lower envelope of `points`, which never rises from left to right.
    pub(crate) fn lower_envelope(points: impl Iterator<Item = (f64, f64)>) -> Self {
        let mut points: Vec<_> = points.collect();
        points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut envelope: Vec<(f64, f64)> = Vec::new();
        for point in points {
            if envelope.last().is_some_and(|last| point.1 >= last.1) {
                continue;
            }
            while let [.., before, last] = envelope[..]
                && is_above(last, before, point)
            {
                envelope.pop();
            }
            envelope.push(point);
        }
        Self(envelope)
    }

    /// Returns the envelope at `x`: infinity to the left of all points, the last `y` to the right.
    pub(crate) fn at(&self, x: f64) -> f64 {
        let right = self.0.partition_point(|point| point.0 < x);
        match (
            right.checked_sub(1).and_then(|left| self.0.get(left)),
            self.0.get(right),
        ) {
            (Some(left), Some(right)) => interpolate(*left, *right, x),
            (Some(last), None) => last.1,
            (None, Some(first)) if first.0 == x => first.1,
            (None, _) => f64::INFINITY,
        }
    }
}

/// Returns `true` if `point` is on or above the line through `left` and `right`.
fn is_above(point: (f64, f64), left: (f64, f64), right: (f64, f64)) -> bool {
    point.1 >= interpolate(left, right, point.0)
}

/// Returns the `y` at `x` on the line through `left` and `right`.
fn interpolate(left: (f64, f64), right: (f64, f64), x: f64) -> f64 {
    left.1 + (right.1 - left.1) * (x - left.0) / (right.0 - left.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelope_runs_through_the_best_points_only() {
        let points = [(4.0, 1.0), (1.0, 10.0), (2.0, 9.0), (3.0, 2.0), (5.0, 3.0)];
        let curve = Curve::lower_envelope(points.into_iter());
        assert_eq!(curve.0, [(1.0, 10.0), (3.0, 2.0), (4.0, 1.0)]);
        for (x, y) in [
            (0.5, f64::INFINITY),
            (1.0, 10.0),
            (2.0, 6.0),
            (4.0, 1.0),
            (9.0, 1.0),
        ] {
            assert_eq!(curve.at(x), y, "{x}");
        }
    }
}
