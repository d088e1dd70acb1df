//! What forecasting costs, as ratios: how many times the plainest thing that could be done in its
//! place. Ratios travel between machines, timings do not.

use chrono::{Days, NaiveDate};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use tillkeep::usage::daily::{DayMap, DayUsage};
use tillkeep::usage::forecast::{DailySeries, FleetYear, Group, Holidays, Learner, fit, forecast};

/// The shortest of several runs of many rounds, per round: the one that was disturbed least.
fn cost(rounds: u32, mut work: impl FnMut()) -> Duration {
    (0..7)
        .map(|_| {
            #[expect(clippy::disallowed_methods, reason = "a bench measures time and decides nothing")]
            let begun = std::time::Instant::now();
            for _ in 0..rounds {
                work();
            }
            begun.elapsed() / rounds
        })
        .min()
        .unwrap_or_default()
}

fn main() {
    let start = NaiveDate::from_ymd_opt(2022, 1, 1).unwrap_or_default();
    const DAYS: u64 = 4 * 365;
    let days: DayMap = (0..DAYS)
        .map(|n| (start + Days::new(n), DayUsage { units: 40 + (n * n % 31) as i64, is_estimated: false }))
        .collect();
    let as_of = start + Days::new(DAYS - 1);
    let series = DailySeries::of(&days, start, as_of);
    let (group, none) = (Group::default(), Arc::new(Holidays::default()));
    let learn = || {
        let mut learner = Learner::new();
        for _ in 0..20 {
            learner.add(series.clone(), &group, &none);
        }
        learner.finish()
    };
    let pool = learn();
    let year = FleetYear::of(&pool);
    let known = fit(&series, &pool, &year, &group, &none, 15.0);
    let mean = cost(2_000, || {
        let total: i64 = (0..28).filter_map(|back| days.get(as_of - Days::new(back))).map(|d| d.units).sum();
        black_box(total as f64 / 28.0);
    });
    let ratio = |part: Duration| part.as_secs_f64() / mean.as_secs_f64().max(f64::MIN_POSITIVE);
    println!("mean of 28 days                     1.0 ({} ns)", mean.as_nanos());
    let learning = cost(5, || {
        black_box(learn());
    });
    println!("learning a pool, per device     {:>7.1}", ratio(learning / 20));
    let fitting = cost(200, || {
        black_box(fit(black_box(&series), &pool, &year, &group, &none, 15.0));
    });
    println!("fit to four years               {:>7.1}", ratio(fitting));
    for units in [500, 5_000, 50_000] {
        let reach = cost(2_000, || {
            black_box(forecast(black_box(&known), as_of, units));
        });
        println!("forecast of {units:>6} units        {:>7.1}", ratio(reach));
    }
}
