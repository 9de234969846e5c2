//! How many requests may be under way, and to whom.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use async_lock::{Semaphore, SemaphoreGuard, SemaphoreGuardArc};
use kippu::time::{Duration, Instant, sleep_until};
use url::Url;

/// The limits of one run.
#[derive(Debug)]
pub(crate) struct Limits {
    all: Semaphore,
    per_host: usize,
    hosts: RefCell<HashMap<String, Rc<Host>>>,
    in_flight: Cell<usize>,
}

#[derive(Debug)]
struct Host {
    places: Arc<Semaphore>,
    /// Until when the host asked to be left alone.
    closed_until: Cell<Option<Instant>>,
}

/// The right to have one request under way. Dropping it gives the place to the next in line.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    in_flight: &'a Cell<usize>,
    _host: SemaphoreGuardArc,
    _all: SemaphoreGuard<'a>,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.in_flight.set(self.in_flight.get() - 1);
    }
}

impl Limits {
    /// At most `all` requests at a time, and at most `per_host` to one host and port.
    pub(crate) fn new(all: usize, per_host: usize) -> Self {
        Self {
            all: Semaphore::new(all),
            per_host,
            hosts: RefCell::default(),
            in_flight: Cell::new(0),
        }
    }

    /// How many requests are under way.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.get()
    }

    /// Waits until a request to `url` may begin. A redirect to another host counts for this one.
    pub(crate) async fn enter(&self, url: &Url) -> Permit<'_> {
        let host = self.host(url);
        // First the host's place, then the common one: who waits for a busy host must not keep
        // others from theirs.
        let host_place = host.places.acquire_arc().await;
        loop {
            while let Some(reopening) = host.reopening() {
                sleep_until(reopening).await;
            }
            let all_place = self.all.acquire().await;
            // The host may have closed in the meantime.
            if host.reopening().is_none() {
                self.in_flight.set(self.in_flight.get() + 1);
                return Permit { in_flight: &self.in_flight, _host: host_place, _all: all_place };
            }
        }
    }

    /// Lets no request to the host of `url` begin for this time.
    pub(crate) fn close_host(&self, url: &Url, time: Duration) {
        let until = Instant::now() + time;
        let host = self.host(url);
        let later = host.closed_until.get().map_or(until, |earlier| earlier.max(until));
        host.closed_until.set(Some(later));
    }

    fn host(&self, url: &Url) -> Rc<Host> {
        let name = url.origin().ascii_serialization();
        let mut hosts = self.hosts.borrow_mut();
        let host = hosts.entry(name).or_insert_with(|| {
            Rc::new(Host {
                places: Arc::new(Semaphore::new(self.per_host)),
                closed_until: Cell::new(None),
            })
        });
        Rc::clone(host)
    }
}

impl Host {
    /// When the host may be asked again, `None` for now.
    fn reopening(&self) -> Option<Instant> {
        self.closed_until.get().filter(|until| *until > Instant::now())
    }
}
