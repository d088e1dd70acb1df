//! Jobs answer "what does the server do by itself, when, and which node does it".
//!
//! A [`Job`] is a name, a schedule (a cron grid, UTC) and one service call. Every node looks at
//! its jobs every two seconds; the lease of a job's name lets only one of them run it, and the
//! moment it last ran is a row they share, so a node that was down catches up with one run. A run
//! that fails is tried again after a growing wait. What a job does is the business of the room it
//! calls, and must be safe to repeat.

use crate::db::{Db, StoreError, StoreResult, idempotency, lease, outbox};
use crate::kernel::calendar::{Grid, GridError};
use crate::kernel::call::Call;
use crate::kernel::clock::Clock;
use crate::kernel::ids::Ids;
use crate::kernel::scope::Scope;
use crate::planning::PlanningService;
use crate::usage::UsageService;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often a node looks at its clock.
const TICK: Duration = Duration::from_secs(2);
/// How long a node that fell silent keeps a job from the others.
const LEASE: TimeDelta = TimeDelta::minutes(10);
/// How often a running job renews its lease.
const RENEW: Duration = Duration::from_secs(120);
/// The longest wait between two tries of a job that fails, in minutes.
const LONGEST_WAIT: i64 = 64;
/// Days an undelivered message waits for somebody to come for it.
const OUTBOX_DAYS: i64 = 7;

/// Why a run failed; logged, and tried again.
pub type JobError = Box<dyn Error + Send + Sync>;
/// The service call of a job: what it did, in words for the log.
pub type Work = Box<dyn Fn(Call) -> BoxFuture<'static, Result<String, JobError>> + Send + Sync>;

/// Something the server does by itself.
pub struct Job {
    name: &'static str,
    schedule: Grid,
    work: Work,
    /// When this node looks at it next.
    next_look_at: DateTime<Utc>,
    failures: u32,
}

impl Job {
    /// A job; looked at for the first time at once.
    pub fn new(name: &'static str, schedule: Grid, work: Work) -> Self {
        Self { name, schedule, work, next_look_at: DateTime::<Utc>::MIN_UTC, failures: 0 }
    }

    /// The first slot after `at`, UTC.
    fn slot_after(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.schedule.next_after(Tz::UTC, at).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// The jobs of one node.
pub struct Jobs {
    db: Db,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    /// This node's name in leases.
    holder: String,
    jobs: Vec<Job>,
}

impl Jobs {
    /// A node's jobs.
    pub fn new(db: Db, clock: Arc<dyn Clock>, ids: Arc<Ids>, jobs: Vec<Job>) -> Self {
        let holder = ids.uuid(clock.now()).to_string();
        Self { db, clock, ids, holder, jobs }
    }

    /// Runs the jobs as they fall due, until told to stop; a run that has begun is finished.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                // An error means that nobody can tell us any more, which is an end as well.
                _ = stop.changed() => return,
                () = tokio::time::sleep(TICK) => {}
            }
            for place in 0..self.jobs.len() {
                if *stop.borrow() {
                    return;
                }
                self.look_at(place).await;
            }
        }
    }

    /// Looks at every job once and runs those that are due.
    pub async fn tick(&mut self) {
        for place in 0..self.jobs.len() {
            self.look_at(place).await;
        }
    }

    async fn look_at(&mut self, place: usize) {
        let now = self.clock.now();
        let Some(job) = self.jobs.get(place).filter(|j| j.next_look_at <= now) else { return };
        let outcome = self.turn(job, now).await;
        let Some(job) = self.jobs.get_mut(place) else { return };
        match outcome {
            Ok(()) => {
                job.failures = 0;
                job.next_look_at = job.slot_after(now);
            }
            Err(error) => {
                let minutes = (1_i64 << job.failures.min(6)).min(LONGEST_WAIT);
                job.failures = job.failures.saturating_add(1);
                job.next_look_at = self.clock.now() + TimeDelta::minutes(minutes);
                metrics::counter!("tillkeep_job_failures_total", "job" => job.name).increment(1);
                tracing::error!(
                    job.name = job.name,
                    error = StoreError::chain(&*error),
                    job.retry_minutes = minutes,
                    "job failed"
                );
            }
        }
    }

    /// Runs a job if it is this node's turn and nobody ran it since its last slot.
    async fn turn(&self, job: &Job, now: DateTime<Utc>) -> Result<(), JobError> {
        if !lease::take(&self.db, job.name, &self.holder, now, now + LEASE).await? {
            return Ok(());
        }
        let outcome = self.run_due(job, now).await;
        // Handing the lease back lets another node run the next slot at once.
        let after = self.clock.now();
        lease::take(&self.db, job.name, &self.holder, after, after).await?;
        outcome
    }

    /// Renews a lease for as long as it is polled; ends with why it cannot.
    async fn renew(&self, name: &str) -> JobError {
        loop {
            tokio::time::sleep(RENEW).await;
            let now = self.clock.now();
            match lease::take(&self.db, name, &self.holder, now, now + LEASE).await {
                Ok(true) => {}
                Ok(false) => return "another node took the lease; it goes on there".into(),
                // The lease is longer than a few tries.
                Err(StoreError::Unavailable(_)) => {}
                Err(error) => return error.into(),
            }
        }
    }

    async fn run_due(&self, job: &Job, now: DateTime<Utc>) -> Result<(), JobError> {
        let last = lease::last_fire(&self.db, job.name).await?;
        if last.is_some_and(|last| job.slot_after(last) > now) {
            return Ok(());
        }
        let call = Call {
            scope: Scope::DEFAULT,
            actor: "jobs".to_owned(),
            request_id: self.ids.uuid(now).to_string(),
            now,
            idempotency: None,
        };
        tracing::debug!(job.name = job.name, request.id = call.request_id, "job begins");
        // A bug in one job must not end the others.
        let mut work = pin!(AssertUnwindSafe((job.work)(call)).catch_unwind());
        // Beside the work, not instead of it: the work may hold the connection the lease waits for.
        let mut renewal = pin!(self.renew(job.name));
        let outcome = tokio::select! {
            outcome = &mut work => outcome,
            lost = &mut renewal => return Err(lost),
        };
        let done = outcome.unwrap_or_else(|_| Err("the job panicked; this is a bug of ours".into()))?;
        lease::set_last_fire(&self.db, job.name, now).await?;
        metrics::counter!("tillkeep_job_runs_total", "job" => job.name).increment(1);
        tracing::debug!(job.name = job.name, job.outcome = done, "job done");
        Ok(())
    }
}

/// When the jobs run that a setting says it of: cron text in UTC.
#[derive(Clone, Copy, Debug)]
pub struct Schedules<'a> {
    /// The planner; `* * * * *` for every minute.
    pub planner: &'a str,
    /// What forecasts rest on.
    pub forecasts: &'a str,
}

/// Every job there is.
///
/// # Errors
/// A cron text cannot be read.
pub fn all(
    db: &Db,
    usage: &Arc<UsageService>,
    planning: &Arc<PlanningService>,
    schedules: Schedules<'_>,
) -> Result<Vec<Job>, GridError> {
    let usage = usage.clone();
    let refresh: Work = Box::new(move |call| {
        let usage = usage.clone();
        Box::pin(async move { Ok(serde_json::to_string(&usage.refresh_forecasts(&call).await?)?) })
    });
    let planning = planning.clone();
    let plan: Work = Box::new(move |call| {
        let planning = planning.clone();
        Box::pin(async move {
            let run = planning.run(&call, false).await?;
            Ok(serde_json::to_string(&run)?)
        })
    });
    let db = db.clone();
    let forget: Work = Box::new(move |call| {
        let db = db.clone();
        Box::pin(async move {
            let rows = forget(&db, &call).await?;
            Ok(format!("{rows} rows forgotten"))
        })
    });
    // In this order: on the first start the planner finds what the refresh chose.
    Ok(vec![
        Job::new("forecasts", Grid::parse(schedules.forecasts)?, refresh),
        Job::new("plan", Grid::parse(schedules.planner)?, plan),
        Job::new("forget", Grid::parse("17 3 * * *")?, forget),
    ])
}

/// Drops idempotency keys past their 90 days, and messages to the outside that waited a week
/// while there is nobody they could be delivered to; says how many rows.
async fn forget(db: &Db, call: &Call) -> StoreResult<u64> {
    let tx = db.begin(call).await?;
    let keys = idempotency::forget(tx.conn(), &call.scope, call.now - TimeDelta::days(idempotency::KEPT_DAYS)).await?;
    let messages = outbox::forget(tx.conn(), &call.scope, call.now - TimeDelta::days(OUTBOX_DAYS)).await?;
    tx.commit().await?;
    Ok(keys + messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::clock::ManualClock;
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Nodes {
        db: Db,
        clock: Arc<ManualClock>,
        runs: Arc<AtomicU32>,
        fails: Arc<AtomicU32>,
        _folder: tempfile::TempDir,
    }

    impl Nodes {
        async fn start() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}?mode=rwc", folder.path().join("tillkeep.db").display());
            let db = Db::connect(&url).await.unwrap();
            db.migrate().await.unwrap();
            let clock = Arc::new(ManualClock::new("2026-05-04T08:00:30Z".parse().unwrap()));
            Self { db, clock, runs: Arc::default(), fails: Arc::default(), _folder: folder }
        }

        /// A node with one job that counts its runs, and fails as often as it was told to.
        fn node(&self, seed: u64) -> Jobs {
            let (runs, fails) = (self.runs.clone(), self.fails.clone());
            let work: Work = Box::new(move |_| {
                let (runs, fails) = (runs.clone(), fails.clone());
                Box::pin(async move {
                    if fails.load(Ordering::SeqCst) > 0 {
                        fails.fetch_sub(1, Ordering::SeqCst);
                        return Err("not now".into());
                    }
                    runs.fetch_add(1, Ordering::SeqCst);
                    Ok(String::new())
                })
            });
            let job = Job::new("count", Grid::parse("*/5 * * * *").unwrap(), work);
            Jobs::new(self.db.clone(), self.clock.clone(), Arc::new(Ids::seeded(seed)), vec![job])
        }

        fn runs(&self) -> u32 {
            self.runs.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn of_two_nodes_one_runs_a_slot_and_a_missed_slot_is_caught_up_once() {
        let nodes = Nodes::start().await;
        let (mut one, mut two) = (nodes.node(1), nodes.node(2));
        one.tick().await;
        two.tick().await;
        assert_eq!(nodes.runs(), 1);
        nodes.clock.advance(TimeDelta::minutes(4));
        two.tick().await;
        assert_eq!(nodes.runs(), 1);
        nodes.clock.advance(TimeDelta::minutes(40));
        two.tick().await;
        one.tick().await;
        assert_eq!(nodes.runs(), 2);
    }

    #[tokio::test]
    async fn a_job_that_fails_is_tried_again_before_its_next_slot() {
        let nodes = Nodes::start().await;
        nodes.fails.store(2, Ordering::SeqCst);
        let mut node = nodes.node(1);
        for minutes in [0, 1, 2] {
            nodes.clock.advance(TimeDelta::minutes(minutes));
            node.tick().await;
        }
        assert_eq!(nodes.runs(), 1);
    }

    #[tokio::test]
    async fn a_node_that_fell_silent_keeps_a_job_for_as_long_as_its_lease() {
        let nodes = Nodes::start().await;
        let now = nodes.clock.now();
        assert!(lease::take(&nodes.db, "count", "silent", now, now + LEASE).await.unwrap());
        let mut node = nodes.node(1);
        node.tick().await;
        assert_eq!(nodes.runs(), 0);
        nodes.clock.advance(LEASE + TimeDelta::minutes(1));
        node.tick().await;
        assert_eq!(nodes.runs(), 1);
    }
}
