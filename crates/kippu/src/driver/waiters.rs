//! The tasks that wait for the same thing, such as for one direction of a socket.

use std::task::Waker;

/// As many different wakers may wait before the list is suspected of holding some that nobody needs any more.
const FEW: usize = 8;
/// As many may wait at most. If more do, they push each other out again and again, which costs time but loses nothing.
const MANY: usize = 4096;

/// A waker, and what is to be dropped once it was rung.
#[derive(Debug)]
pub(crate) struct Waiter<H = ()> {
    pub(crate) waker: Waker,
    pub(crate) hold: H,
}

impl<H> Waiter<H> {
    /// The hold goes after the waker was rung.
    pub(crate) fn wake(self) {
        self.waker.wake();
        drop(self.hold);
    }
}

/// All that wait are woken, so it does not matter which of them the event was for, nor that some have been dropped
/// since: a future that is polled by hand cannot leave the list.
///
/// Therefore the list is bounded. When it is full, all are woken for nothing and leave; those that still wait come back, and then there is
/// room for twice as many.
#[derive(Debug)]
pub(crate) struct Waiters<H = ()> {
    list: Vec<Waiter<H>>,
    limit: usize,
}

impl<H> Default for Waiters<H> {
    fn default() -> Self {
        Waiters::new()
    }
}

impl<H> Waiters<H> {
    pub(crate) const fn new() -> Self {
        Waiters { list: Vec::new(), limit: FEW }
    }

    #[cfg(any(kippu_native, test))]
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds a waker, once. Settle the result when nothing is borrowed or locked.
    pub(crate) fn add(&mut self, waker: &Waker, hold: H) -> Displaced<H> {
        let known = self.list.iter_mut().find(|waiter| waiter.waker.will_wake(waker));
        if let Some(known) = known {
            let hold = Some(std::mem::replace(&mut known.hold, hold));
            return Displaced { hold, crowd: Vec::new() };
        }
        let mut crowd = Vec::new();
        if self.list.len() >= self.limit {
            self.limit = MANY.min(2 * self.limit);
            crowd = std::mem::take(&mut self.list);
        }
        self.list.push(Waiter { waker: waker.clone(), hold });
        Displaced { hold: None, crowd }
    }

    /// Takes all of them out, to be woken when nothing is borrowed or locked.
    pub(crate) fn drain(&mut self) -> std::vec::Drain<'_, Waiter<H>> {
        // As many may come back.
        self.limit = (2 * self.list.len()).clamp(FEW, MANY);
        self.list.drain(..)
    }
}

/// What a new waiter pushed out.
#[derive(Debug)]
#[must_use]
pub(crate) struct Displaced<H> {
    #[expect(dead_code, reason = "only dropped, when nothing is borrowed")]
    hold: Option<H>,
    crowd: Vec<Waiter<H>>,
}

impl<H> Displaced<H> {
    /// Runs code of tasks: wakers are rung and dropped.
    pub(crate) fn settle(self) {
        for waiter in self.crowd {
            waiter.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use super::{FEW, MANY, Waiters};

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Count {
        fn rung(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn all_that_wait_are_woken_once() {
        let (a, b) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let mut waiters = Waiters::new();
        for count in [&a, &b, &a] {
            waiters.add(&Waker::from(Arc::clone(count)), ()).settle();
        }
        waiters.drain().for_each(super::Waiter::wake);
        assert_eq!((a.rung(), b.rung()), (1, 1));
        assert!(waiters.is_empty());
    }

    #[test]
    fn wakers_that_nobody_needs_do_not_pile_up() {
        let mut waiters = Waiters::new();
        let live = Arc::new(Count::default());
        let mut came = 0;
        for _ in 0..10_000 {
            if live.rung() == came {
                came += 1;
                waiters.add(&Waker::from(Arc::clone(&live)), ()).settle();
            }
            waiters.add(&Waker::from(Arc::new(Count::default())), ()).settle();
            assert!(waiters.list.len() <= MANY);
        }
        waiters.drain().for_each(super::Waiter::wake);
        assert_eq!(live.rung(), came, "who still waits is woken");
        waiters.drain().for_each(super::Waiter::wake);
        assert_eq!(waiters.limit, FEW, "room for few, as few have come back");
    }

    #[test]
    fn as_many_as_wait_find_room() {
        let mut waiters = Waiters::new();
        let live: Vec<_> = (0..100).map(|_| Arc::new(Count::default())).collect();
        let mut came = vec![0; live.len()];
        let mut rounds = 0;
        // Who was woken comes back, until nobody is woken any more.
        while live.iter().zip(&came).any(|(live, came)| live.rung() == *came) {
            for (live, came) in live.iter().zip(&mut came) {
                if live.rung() == *came {
                    *came += 1;
                    waiters.add(&Waker::from(Arc::clone(live)), ()).settle();
                }
            }
            rounds += 1;
            assert!(rounds < 10, "they push each other out for ever");
        }
        assert_eq!(waiters.list.len(), live.len());
    }
}
