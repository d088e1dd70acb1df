//! Reliability figures: the mean time between failures, and how low it can be believed to be.

use std::f64::consts::PI;

/// How sure the lower bound of a mean time between failures is.
pub const CONFIDENCE: f64 = 0.90;

/// A mean time between failures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mtbf {
    /// Failures seen.
    pub failures: u64,
    /// Time under observation, in whatever unit it is asked for.
    pub time: f64,
    /// Time over failures; none without failures, since that is no infinity but ignorance.
    pub mean: Option<f64>,
    /// With a confidence of [`CONFIDENCE`] the true mean is not below this; none without time.
    pub lower_bound: Option<f64>,
}

/// The mean time between failures seen in a time, and its one-sided lower bound.
///
/// Observation ends at a time and not at a failure, and what fails is repaired or replaced, so the
/// number of failures is Poisson distributed and the bound is 2T / χ²(confidence; 2r + 2). It is
/// there even where nothing failed.
pub fn mtbf(time: f64, failures: u64) -> Mtbf {
    let has_time = time > 0.0;
    let mean = (has_time && failures > 0).then(|| time / failures as f64);
    let lower_bound = has_time.then(|| 2.0 * time / chi_square_quantile(CONFIDENCE, 2.0 * failures as f64 + 2.0));
    Mtbf { failures, time, mean, lower_bound }
}

/// The value below which a chi-square variable with so many degrees of freedom is found with a
/// probability between 0 and 1, both excluded.
///
/// Wilson and Hilferty's cube root is the first guess; Newton's steps on the regularized gamma
/// function follow, kept between bounds.
pub fn chi_square_quantile(probability: f64, degrees: f64) -> f64 {
    let shape = degrees / 2.0;
    let spread = 2.0 / (9.0 * degrees);
    let cube = 1.0 - spread + normal_quantile(probability) * spread.sqrt();
    let ln_gamma_shape = ln_gamma(shape);
    let mut y = (degrees * cube.powi(3) / 2.0).max(shape * 1e-6);
    let (mut low, mut high) = (0.0, f64::INFINITY);
    for _ in 0..200 {
        let beyond = gamma_p(shape, y, ln_gamma_shape) - probability;
        if beyond < 0.0 {
            low = y
        } else {
            high = y
        }
        let density = ((shape - 1.0) * y.ln() - y - ln_gamma_shape).exp();
        let mut next = y - beyond / density;
        if !(next > low && next < high) {
            next = if high.is_finite() { (low + high) / 2.0 } else { y * 2.0 };
        }
        let step = (next - y).abs();
        y = next;
        if step <= y * 1e-14 {
            break;
        }
    }
    2.0 * y
}

/// A guess at the normal distribution's quantile, good to three decimals (Abramowitz and Stegun
/// 26.2.23).
fn normal_quantile(probability: f64) -> f64 {
    let is_upper = probability > 0.5;
    let tail = if is_upper { 1.0 - probability } else { probability };
    let t = (-2.0 * tail.ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let z = t - above / below;
    if is_upper { z } else { -z }
}

/// The logarithm of the gamma function from 0.5 on (Lanczos, g = 7).
fn ln_gamma(x: f64) -> f64 {
    const FIRST: f64 = 0.999_999_999_999_809_9;
    const MORE: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let t = x + 7.5;
    let sum = MORE.iter().zip(1_u8..).fold(FIRST, |sum, (c, place)| sum + c / (x + f64::from(place)));
    0.5 * (2.0 * PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// Steps of a series or fraction at most; a shape of a million needs some ten thousand.
const STEPS: usize = 200_000;

/// The regularized lower incomplete gamma function.
fn gamma_p(shape: f64, x: f64, ln_gamma_shape: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = (shape * x.ln() - x - ln_gamma_shape).exp();
    if x < shape + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / shape, 1.0 / shape, shape);
        for _ in 0..STEPS {
            n += 1.0;
            term *= x / n;
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        return (sum * front).min(1.0);
    }
    // The continued fraction of the upper function, by Lentz's method.
    const TINY: f64 = 1e-300;
    let mut b = x + 1.0 - shape;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut fraction = d;
    let mut n = 0.0;
    for _ in 0..STEPS {
        n += 1.0;
        let a = -n * (n - shape);
        b += 2.0;
        d = a * d + b;
        if d.abs() < TINY {
            d = TINY;
        }
        c = b + a / c;
        if c.abs() < TINY {
            c = TINY;
        }
        d = 1.0 / d;
        let factor = d * c;
        fraction *= factor;
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    (1.0 - front * fraction).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found / expected - 1.0).abs() < tolerance, "{found} is not {expected}");
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // Worked out to 17 digits with an arbitrary-precision library.
        for (probability, degrees, expected) in [
            (0.90, 1.0, 2.705_543_454_095_414_6),
            (0.90, 2.0, 4.605_170_185_988_091),
            (0.90, 4.0, 7.779_440_339_734_858),
            (0.90, 10.0, 15.987_179_172_105_261),
            (0.90, 22.0, 30.813_282_343_953_035),
            (0.90, 48.0, 60.906_607_027_448_37),
            (0.90, 100.0, 118.498_003_811_062_1),
            (0.90, 202.0, 228.149_074_261_349_07),
            (0.90, 2_000.0, 2_081.468_616_027_38),
            (0.90, 20_002.0, 20_258.747_562_734_436),
            (0.95, 2.0, 5.991_464_547_107_982),
            (0.95, 10.0, 18.307_038_053_275_147),
            (0.05, 10.0, 3.940_299_136_119_06),
        ] {
            close(chi_square_quantile(probability, degrees), expected, 1e-11);
        }
        // With two degrees of freedom it is an exponential.
        close(chi_square_quantile(0.9, 2.0), -2.0 * 0.1_f64.ln(), 1e-13);
    }

    #[test]
    fn without_failures_there_is_a_bound_and_no_mean() {
        let found = mtbf(1_000.0, 0);
        assert_eq!(found.mean, None);
        close(found.lower_bound.unwrap(), 1_000.0 / 10.0_f64.ln(), 1e-12);
        let found = mtbf(1_000.0, 1);
        assert_eq!(found.mean, Some(1_000.0));
        close(found.lower_bound.unwrap(), 257.087_902_555_746_7, 1e-11);
        let nothing = mtbf(0.0, 0);
        assert_eq!((nothing.mean, nothing.lower_bound), (None, None));
        assert_eq!((mtbf(0.0, 2).mean, mtbf(0.0, 2).lower_bound), (None, None));
    }

    proptest! {
        #[test]
        fn the_quantile_undoes_the_distribution(probability in 0.01_f64..0.99, degrees in 1_u32..3_000) {
            let degrees = f64::from(degrees);
            let x = chi_square_quantile(probability, degrees);
            prop_assert!((gamma_p(degrees / 2.0, x / 2.0, ln_gamma(degrees / 2.0)) - probability).abs() < 1e-9);
        }

        #[test]
        fn the_bound_is_below_the_mean_and_nears_it(failures in 1_u64..5_000) {
            let found = mtbf(failures as f64 * 100.0, failures);
            let bound = found.lower_bound.unwrap();
            prop_assert!(bound < 100.0);
            prop_assert!(bound < mtbf((failures + 1) as f64 * 100.0, failures + 1).lower_bound.unwrap());
        }
    }
}
