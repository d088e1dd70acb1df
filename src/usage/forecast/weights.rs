//! How much each sign counts, for all devices and for one.
//!
//! A forecast begins at the mean of the last four weeks and corrects it, in logarithms, by signs:
//! how the means of two weeks, eight weeks, sixteen weeks and a year compare with it, what the
//! device itself did a year ago, and what its fleet did. How much each counts was learned on five
//! real data sets of shops, cash machines, small firms and vending machines; how a device differs
//! from that is learned on its own past, as far as it speaks clearly.

/// Signs at most.
pub(super) const SIGNS: usize = 9;

/// What is known of a season at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Season {
    /// Nothing: less than a year of the fleet.
    None,
    /// The fleet's year, not the device's.
    Pool,
    /// Both.
    Own,
}

/// The signs of one moment, in the order of [`general`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Signs {
    pub(super) season: Season,
    pub(super) values: [f64; SIGNS],
}

impl Season {
    /// How many signs there are.
    pub(super) fn signs(self) -> usize {
        match self {
            Self::None => 4,
            Self::Pool => 6,
            Self::Own => 9,
        }
    }
}

/// What counts how much in general: means of 14, 56, 112 and 364 days; then the device's last year
/// against its 28, 56 and 112 days then; then the fleet's last year against its 28 and 112 days then.
///
/// Least absolute errors over all five data sets, each counting the same. Left out one at a time,
/// the errors on the one left out are within 0.02 of these; docs/forecasting.md has the table.
pub(super) fn general(season: Season) -> [f64; SIGNS] {
    match season {
        Season::None => [0.25, 0.21, 0.18, 0.23, 0.0, 0.0, 0.0, 0.0, 0.0],
        Season::Pool => [0.16, 0.12, 0.18, 0.14, 0.59, 0.28, 0.0, 0.0, 0.0],
        Season::Own => [0.15, 0.25, 0.16, 0.08, 0.20, 0.28, 0.01, 0.26, 0.14],
    }
}

/// How strongly a device's weights are held to the general ones.
const HOLD: f64 = 3.0;
/// What one past moment counts: moments are two weeks apart and tell of a month or two, so that
/// each repeats much of the one before.
const MOMENT: f64 = 0.2;
/// Errors below 2 % count as squares: nobody plans to the hour.
const FINE: f64 = 0.02;
/// Rounds of reweighting; the fourth changes weights by less than 0.01.
const ROUNDS: usize = 4;
/// Past moments a device needs before it is asked.
const MOMENTS_MIN: usize = 10;

/// The weights of one device: the general ones, bent towards what would have been right in its own
/// past. Absolute errors are what counts, by repeated weighted least squares.
pub(super) fn own(season: Season, past: &[(Signs, f64)]) -> [f64; SIGNS] {
    let general = general(season);
    if past.len() < MOMENTS_MIN {
        return general;
    }
    let size = season.signs();
    let mut weights = general;
    for _ in 0..ROUNDS {
        let mut matrix = [[0.0; SIGNS]; SIGNS];
        let mut right = [0.0; SIGNS];
        for (place, row) in matrix.iter_mut().enumerate() {
            row[place] = HOLD;
        }
        for (signs, truth) in past {
            let x = &signs.values;
            let importance = MOMENT / (truth - dot(&weights, x)).abs().max(FINE);
            let left = importance * (truth - dot(&general, x));
            for row in 0..size {
                right[row] += left * x[row];
                let scaled = importance * x[row];
                for column in 0..=row {
                    matrix[row][column] += scaled * x[column];
                }
            }
        }
        let Some(bend) = solve(matrix, right, size) else { return general };
        weights = std::array::from_fn(|place| general[place] + bend[place]);
    }
    weights
}

/// The sum of products.
pub(super) fn dot(a: &[f64; SIGNS], b: &[f64; SIGNS]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves a symmetric positive system, given by its lower half (Cholesky).
fn solve(mut matrix: [[f64; SIGNS]; SIGNS], right: [f64; SIGNS], size: usize) -> Option<[f64; SIGNS]> {
    for row in 0..size {
        for column in 0..=row {
            let sum: f64 = (0..column).map(|k| matrix[row][k] * matrix[column][k]).sum();
            let left = matrix[row][column] - sum;
            if row == column {
                if left <= 0.0 || !left.is_finite() {
                    return None;
                }
                matrix[row][row] = left.sqrt();
            } else {
                matrix[row][column] = left / matrix[column][column];
            }
        }
    }
    let mut found = right;
    for row in 0..size {
        let sum: f64 = (0..row).map(|k| matrix[row][k] * found[k]).sum();
        found[row] = (found[row] - sum) / matrix[row][row];
    }
    for row in (0..size).rev() {
        let sum: f64 = (row + 1..size).map(|k| matrix[k][row] * found[k]).sum();
        found[row] = (found[row] - sum) / matrix[row][row];
    }
    found.iter().all(|x| x.is_finite()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_whose_last_year_never_repeats_stops_listening_to_it() {
        // The truth follows the sixteen weeks alone, while last year says something else each time.
        let past: Vec<(Signs, f64)> = (0..200)
            .map(|n| {
                let mut values = [0.0; SIGNS];
                let own = f64::from(n).sin();
                values[2] = (f64::from(n) * 0.7).cos() * 0.3;
                (values[4], values[5]) = (own * 0.3, own * 0.3);
                (Signs { season: Season::Own, values }, values[2] * 0.9)
            })
            .collect();
        let weights = own(Season::Own, &past);
        assert!(weights[2] > 0.8, "{weights:?}");
        assert!((weights[4] + weights[5]).abs() < 0.1, "{weights:?}");
    }

    #[test]
    fn a_device_without_a_past_has_the_general_weights() {
        assert_eq!(own(Season::Pool, &[]), general(Season::Pool));
    }
}
