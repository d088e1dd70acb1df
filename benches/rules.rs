//! What the planner's inner steps cost, as ratios: how many times the plainest thing that could be
//! done in their place. Ratios travel between machines, timings do not.

use chrono::{Days, NaiveDate};
use std::hint::black_box;
use std::time::Duration;
use tillkeep::usage::daily::{DayMap, DayUsage};
use tillkeep::usage::forecast::forecast;
use tillkeep::usage::pattern::pattern;

/// The shortest of several runs of many rounds, per round: the one that was disturbed least.
fn cost(mut work: impl FnMut()) -> Duration {
    const ROUNDS: u32 = 2_000;
    (0..7)
        .map(|_| {
            #[expect(clippy::disallowed_methods, reason = "a bench measures time and decides nothing")]
            let begun = std::time::Instant::now();
            for _ in 0..ROUNDS {
                work();
            }
            begun.elapsed() / ROUNDS
        })
        .min()
        .unwrap_or_default()
}

fn main() {
    let start = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap_or_default();
    let days: DayMap = (0..400_u64)
        .map(|n| (start + Days::new(n), DayUsage { units: 40 + (n % 7) as i64 * 9, is_estimated: false }))
        .collect();
    let as_of = start + Days::new(399);
    let known = pattern(&days, start, as_of, 15.0);
    let mean = cost(|| {
        let total: i64 = (0..28).filter_map(|back| days.get(as_of - Days::new(back))).map(|d| d.units).sum();
        black_box(total as f64 / 28.0);
    });
    let ratio = |part: Duration| part.as_secs_f64() / mean.as_secs_f64().max(f64::MIN_POSITIVE);
    println!("mean of 28 days               1.0 ({} ns)", mean.as_nanos());
    let fit = cost(|| {
        black_box(pattern(black_box(&days), start, as_of, 15.0));
    });
    println!("usage pattern of 56 days   {:>6.1}", ratio(fit));
    for units in [500, 5_000, 50_000] {
        let reach = cost(|| {
            black_box(forecast(black_box(&known), as_of, units));
        });
        println!("forecast of {units:>6} units   {:>6.1}", ratio(reach));
    }
}
