//! What is new in device files, as it becomes lasting, on this node or another.
//!
//! While somebody listens, one reader per organization goes along the outbox and hands what it
//! finds to every listener. A change made on this node wakes it, one made elsewhere is found
//! within [`POLL`]. Nothing waits for a listener: one that does not keep up loses what was handed
//! out, and reads it from the database, from where it was.

use super::file::{self, Event};
use super::file_store;
use crate::db::outbox::{self, Mark, Place};
use crate::db::{Db, StoreError, StoreResult};
use crate::kernel::ids::OrganizationId;
use crate::kernel::scope::Scope;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::time::{sleep, timeout};

/// How late what another node wrote may be found.
const POLL: Duration = Duration::from_secs(1);
/// Time between two readings: changes that come thick and fast are read together.
const GAP: Duration = Duration::from_millis(20);
/// Messages read at a time.
const MESSAGES: u64 = 500;
/// Readings that are kept for listeners that do not keep up.
const KEPT: usize = 32;

/// What was found in one reading.
#[derive(Debug)]
struct News {
    events: Vec<(Place, Event)>,
    end: Place,
}

/// What is new in device files.
pub struct Feed {
    db: Db,
    live: Mutex<HashMap<OrganizationId, Sender<Arc<News>>>>,
}

/// Somebody who wants to hear of what is new.
pub struct Listener {
    db: Db,
    scope: Scope,
    receiver: Receiver<Arc<News>>,
    /// What was lasting when listening began.
    since: Mark,
    /// What is behind it has been heard.
    place: Place,
    /// Something was handed out that was not heard.
    is_behind: bool,
}

/// Reads on; an event that cannot be read is left to the integrity of its file.
async fn read(db: &Db, scope: &Scope, after: Place) -> StoreResult<Option<News>> {
    let owed = file_store::owed_after(db.reader(), scope, after, MESSAGES).await?;
    Ok(owed.map(|owed| News {
        events: owed.events.iter().filter_map(|(place, stored)| Some((*place, file::read(stored)?))).collect(),
        end: owed.end,
    }))
}

impl Feed {
    /// Over a database; nothing runs until somebody listens.
    pub fn new(db: Db) -> Self {
        Self { db, live: Mutex::default() }
    }

    fn live(&self) -> MutexGuard<'_, HashMap<OrganizationId, Sender<Arc<News>>>> {
        // A panic elsewhere cannot leave it half-written.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens to everything that becomes lasting from now on.
    ///
    /// # Errors
    /// Storage.
    pub async fn listen(self: &Arc<Self>, scope: Scope) -> StoreResult<Listener> {
        // The reader begins at or before the moment from which we listen, so that nothing falls
        // between the two; what it hands out from before is left out below.
        let begin = outbox::mark(self.db.reader(), &scope).await?.place();
        let receiver = {
            let mut live = self.live();
            match live.get(&scope.organization) {
                Some(sender) => sender.subscribe(),
                None => {
                    let (sender, receiver) = broadcast::channel(KEPT);
                    live.insert(scope.organization, sender.clone());
                    tokio::spawn(self.clone().run(scope, sender, begin));
                    receiver
                }
            }
        };
        let since = outbox::mark(self.db.reader(), &scope).await?;
        let place = since.place();
        Ok(Listener { db: self.db.clone(), scope, receiver, since, place, is_behind: false })
    }

    /// Hands out what becomes lasting after a place, as long as somebody listens.
    async fn run(self: Arc<Self>, scope: Scope, sender: Sender<Arc<News>>, mut place: Place) {
        let mut commits = self.db.commits();
        while !self.is_left(&scope, &sender) {
            match read(&self.db, &scope, place).await {
                Ok(Some(news)) => {
                    place = news.end;
                    // Without listeners it is nobody's news.
                    let _ = sender.send(Arc::new(news));
                    continue;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(error = StoreError::chain(&error), "device files cannot be followed just now");
                    sleep(POLL).await;
                    continue;
                }
            }
            // Either way it is time to look.
            let _ = timeout(POLL, commits.changed()).await;
            sleep(GAP).await;
        }
    }

    /// Whether nobody listens any more; then the next listener gets a reader of its own.
    fn is_left(&self, scope: &Scope, sender: &Sender<Arc<News>>) -> bool {
        let mut live = self.live();
        let is_left = sender.receiver_count() == 0;
        if is_left {
            live.remove(&scope.organization);
        }
        is_left
    }
}

impl Listener {
    /// The next events, in the order in which they became lasting, each once; waits for them. None
    /// when nothing will come any more.
    ///
    /// # Errors
    /// Storage.
    pub async fn next(&mut self) -> StoreResult<Option<Vec<Event>>> {
        loop {
            let news = if self.is_behind {
                match read(&self.db, &self.scope, self.place).await? {
                    Some(news) => Arc::new(news),
                    None => {
                        self.is_behind = false;
                        continue;
                    }
                }
            } else {
                match self.receiver.recv().await {
                    Ok(news) => news,
                    Err(RecvError::Lagged(_)) => {
                        self.is_behind = true;
                        continue;
                    }
                    Err(RecvError::Closed) => return Ok(None),
                }
            };
            let is_new = |place: Place| place > self.place && !self.since.has(place);
            let events: Vec<Event> =
                news.events.iter().filter(|(place, _)| is_new(*place)).map(|(_, event)| event.clone()).collect();
            self.place = self.place.max(news.end);
            if !events.is_empty() {
                return Ok(Some(events));
            }
        }
    }
}
