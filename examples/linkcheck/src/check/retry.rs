//! What follows a failed request. Pure: time comes in as a parameter.

use std::time::{Duration, UNIX_EPOCH};

/// How patient to be; from the command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// Requests after the first.
    pub(crate) retries: u32,
    /// Before the first repetition.
    pub(crate) wait: Duration,
    /// The most that a Retry-After may ask for.
    pub(crate) max_wait: Duration,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The status is the answer.
    Stop,
    /// The status is the answer, since the server asks for a longer wait than is allowed.
    StopTooLong(Duration),
    /// HEAD is perhaps all that the server dislikes: ask with GET at once.
    AskWithGet,
    /// Repeat with GET after this time.
    Wait(Duration),
    /// The same, and leave the whole host alone for that time: it says how long.
    WaitForHost(Duration),
}

/// No wait grows beyond this, however many repetitions there are.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);

impl Policy {
    /// What follows a status that does not count as fine, after `repeated` repetitions.
    pub(crate) fn after_status(
        &self,
        status: u16,
        was_head: bool,
        repeated: u32,
        retry_after: Option<Duration>,
    ) -> Step {
        let passes = status == 429 || (500..=599).contains(&status) && status != 501;
        if was_head && (!passes || status != 429 && retry_after.is_none()) {
            return Step::AskWithGet;
        }
        if !passes || repeated >= self.retries {
            return Step::Stop;
        }
        match retry_after {
            Some(wait) if wait > self.max_wait => Step::StopTooLong(wait),
            Some(wait) => Step::WaitForHost(wait),
            None => Step::Wait(self.back_off(repeated)),
        }
    }

    /// Doubles with each repetition. Without randomness: the limit per host already spreads
    /// requests out, and reports stay the same from run to run.
    fn back_off(&self, repeated: u32) -> Duration {
        let factor = 1_u32.checked_shl(repeated).unwrap_or(u32::MAX);
        self.wait.saturating_mul(factor).min(LONGEST_BACK_OFF.max(self.wait))
    }
}

/// The value of a Retry-After header: seconds, or a date seen from `now`, the time since 1970.
pub(crate) fn parse_retry_after(value: &str, now: Duration) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit mean a wait that is too long in any case.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(date.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy =
        Policy { retries: 2, wait: Duration::from_secs(1), max_wait: Duration::from_secs(60) };

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_failed_head_is_asked_again_with_get() {
        for status in [403, 404, 405, 500, 501, 503] {
            assert_eq!(POLICY.after_status(status, true, 0, None), Step::AskWithGet, "{status}");
        }
        // Unless the server says to wait.
        assert_eq!(POLICY.after_status(429, true, 0, None), Step::Wait(seconds(1)));
        assert_eq!(
            POLICY.after_status(503, true, 0, Some(seconds(3))),
            Step::WaitForHost(seconds(3))
        );
    }

    #[test]
    fn only_what_may_pass_is_repeated_and_not_for_ever() {
        for status in [429, 500, 502, 503, 504] {
            assert_eq!(POLICY.after_status(status, false, 0, None), Step::Wait(seconds(1)));
            assert_eq!(POLICY.after_status(status, false, 1, None), Step::Wait(seconds(2)));
            assert_eq!(POLICY.after_status(status, false, 2, None), Step::Stop);
        }
        for status in [301, 400, 403, 404, 410, 501] {
            assert_eq!(POLICY.after_status(status, false, 0, None), Step::Stop);
        }
    }

    #[test]
    fn the_servers_wait_is_honoured_within_limits() {
        assert_eq!(
            POLICY.after_status(429, false, 1, Some(seconds(60))),
            Step::WaitForHost(seconds(60))
        );
        assert_eq!(
            POLICY.after_status(429, false, 1, Some(seconds(61))),
            Step::StopTooLong(seconds(61))
        );
    }

    #[test]
    fn back_off_is_bounded() {
        let policy = Policy { retries: 100, ..POLICY };
        assert_eq!(policy.after_status(500, false, 99, None), Step::Wait(LONGEST_BACK_OFF));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = seconds(784_111_777);
        let parse = |value| parse_retry_after(value, now);
        assert_eq!(parse(" 120 "), Some(seconds(120)));
        assert_eq!(parse("99999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:47 GMT"), Some(seconds(10)));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:00 GMT"), Some(seconds(0)));
        assert_eq!(parse("soon"), None);
        assert_eq!(parse("-1"), None);
        assert_eq!(parse(""), None);
    }
}
