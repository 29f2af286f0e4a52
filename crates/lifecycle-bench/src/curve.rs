//! The lower envelope of a trade-off: the best mix of alternatives that each trade one cost for
//! another.

/// The lower edge of a set of points: the values that a mix of the best points reaches.
#[derive(Debug)]
pub(crate) struct Curve(Vec<(f64, f64)>);

impl Curve {
    /// Returns the edge below these points, from left to right and never rising.
    pub(crate) fn lower_envelope(points: impl Iterator<Item = (f64, f64)>) -> Self {
        let mut points: Vec<_> = points.collect();
        points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut edge: Vec<(f64, f64)> = Vec::new();
        for point in points {
            if edge.last().is_some_and(|last| point.1 >= last.1) {
                continue;
            }
            while let [.., before, last] = edge[..]
                && is_above(last, before, point)
            {
                edge.pop();
            }
            edge.push(point);
        }
        Self(edge)
    }

    /// Returns the edge at `x`: no limit to the left of all points, and level to the right of them.
    pub(crate) fn at(&self, x: f64) -> f64 {
        let right = self.0.partition_point(|point| point.0 < x);
        match (
            right.checked_sub(1).and_then(|left| self.0.get(left)),
            self.0.get(right),
        ) {
            (Some(left), Some(right)) => between(*left, *right, x),
            (Some(last), None) => last.1,
            (None, Some(first)) if first.0 == x => first.1,
            (None, _) => f64::INFINITY,
        }
    }
}

fn is_above(point: (f64, f64), left: (f64, f64), right: (f64, f64)) -> bool {
    point.1 >= between(left, right, point.0)
}

fn between(left: (f64, f64), right: (f64, f64), x: f64) -> f64 {
    left.1 + (right.1 - left.1) * (x - left.0) / (right.0 - left.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_runs_through_the_best_points_alone() {
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
