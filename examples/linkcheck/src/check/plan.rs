//! Which places link to what, and what has become known of that. Pure: no I/O happens here.
//!
//! A page or file that many places link to is one [`Job`]; each place is an [`Occurrence`].

use std::collections::HashMap;

use url::Url;

use super::file::Fragments;
use super::resolve::{Destination, Resolver, Skip};
use crate::extract::{Anchors, Link, Place, Target};
use crate::problem::Problem;

/// What is known of a page or file once it was looked at.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The last answer's HTTP status.
    pub(crate) status: Option<u16>,
    /// Where redirects led.
    pub(crate) redirected_to: Option<String>,
    /// Whether it is fine.
    pub(crate) result: Result<Fragments, Problem>,
}

/// What a link turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It leads where it should.
    Ok,
    /// It does not.
    Broken(Problem),
    /// It was not to be checked.
    Skipped(Skip),
    /// The check ended before its turn.
    Unchecked,
}

/// One link of one document.
#[derive(Debug)]
struct Occurrence {
    source: usize,
    place: Place,
    written: String,
    lead: Lead,
}

#[derive(Debug)]
enum Lead {
    /// Nothing needs to be looked at.
    Settled(Verdict),
    /// It depends on a job.
    Job { index: usize, fragment: Option<String> },
}

/// What a job is to look at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// A page, by its URL without fragment.
    Page(Url),
    /// A file or folder, by its absolute path.
    File(String),
}

/// Something to look at, once.
#[derive(Debug)]
struct Job {
    subject: Subject,
    wants_anchors: bool,
    occurrences: Vec<usize>,
    outcome: Option<Outcome>,
}

/// One link as it is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The document, as the user knows it.
    pub(crate) source: String,
    pub(crate) place: Place,
    /// The link as the document writes it.
    pub(crate) url: String,
    pub(crate) verdict: Verdict,
    pub(crate) status: Option<u16>,
    pub(crate) redirected_to: Option<String>,
}

/// How far the check is, in links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) total: usize,
    pub(crate) done: usize,
    pub(crate) broken: usize,
}

/// Everything that is known so far.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    sources: Vec<String>,
    occurrences: Vec<Occurrence>,
    jobs: Vec<Job>,
    job_of: HashMap<Subject, usize>,
    /// The anchors of files that were read as inputs, by their absolute paths.
    anchors: HashMap<String, Anchors>,
    /// What is known of pages that were fetched as inputs.
    pages: HashMap<Url, Outcome>,
    progress: Progress,
}

impl Plan {
    /// Adds a document with its links, in the order of the report.
    pub(crate) fn add_document(
        &mut self,
        source: String,
        links: Vec<Link>,
        resolver: &Resolver<'_>,
    ) {
        let source_index = self.sources.len();
        self.sources.push(source);
        for Link { target, place } in links {
            let (written, lead) = self.lead(target, resolver);
            self.progress.total += 1;
            if let Lead::Settled(verdict) = &lead {
                self.progress.done += 1;
                self.progress.broken += usize::from(matches!(verdict, Verdict::Broken(_)));
            }
            let occurrence = self.occurrences.len();
            if let Lead::Job { index, .. } = &lead {
                self.jobs[*index].occurrences.push(occurrence);
            }
            self.occurrences.push(Occurrence { source: source_index, place, written, lead });
        }
    }

    /// Remembers the anchors of the file at `path`, so that links to it need not read it again.
    pub(crate) fn add_anchors(&mut self, path: String, anchors: Anchors) {
        self.anchors.insert(path, anchors);
    }

    /// Remembers what is known of a page, so that links to it need not ask again.
    pub(crate) fn add_known(&mut self, url: Url, outcome: Outcome) {
        self.pages.insert(url, outcome);
    }

    /// The anchors of a file that was read as an input.
    pub(crate) fn anchors_of(&self, path: &str) -> Option<Anchors> {
        self.anchors.get(path).cloned()
    }

    /// How many documents there are.
    pub(crate) fn documents(&self) -> usize {
        self.sources.len()
    }

    /// How far the check is.
    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }

    fn lead(&mut self, target: Target, resolver: &Resolver<'_>) -> (String, Lead) {
        let written = match target {
            Target::Url(url) => url,
            Target::UndefinedReference(label) => {
                let written = format!("[{label}]");
                let verdict = match resolver.excludes(&written) {
                    true => Verdict::Skipped(Skip::Excluded),
                    false => Verdict::Broken(Problem::Reference(label)),
                };
                return (written, Lead::Settled(verdict));
            }
        };
        let lead = match resolver.resolve(&written) {
            Ok(Destination::Page { url, fragment }) => self.job(Subject::Page(url), fragment),
            Ok(Destination::File { path, fragment }) => self.job(Subject::File(path), fragment),
            Ok(Destination::Skipped(skip)) => Lead::Settled(Verdict::Skipped(skip)),
            Err(problem) => Lead::Settled(Verdict::Broken(problem)),
        };
        (written, lead)
    }

    fn job(&mut self, subject: Subject, fragment: Option<String>) -> Lead {
        let index = *self.job_of.entry(subject).or_insert_with_key(|subject| {
            self.jobs.push(Job {
                subject: subject.clone(),
                wants_anchors: false,
                occurrences: Vec::new(),
                outcome: None,
            });
            self.jobs.len() - 1
        });
        self.jobs[index].wants_anchors |= fragment.is_some();
        Lead::Job { index, fragment }
    }

    /// The jobs to do: index, subject and whether anchors are wanted. What inputs have made known
    /// is settled here.
    pub(crate) fn open_jobs(&mut self) -> Vec<(usize, Subject, bool)> {
        for index in 0..self.jobs.len() {
            if let Subject::Page(url) = &self.jobs[index].subject
                && let Some(outcome) = self.pages.get(url).cloned()
            {
                self.settle(index, outcome);
            }
        }
        let open = self.jobs.iter().enumerate().filter(|(_, job)| job.outcome.is_none());
        open.map(|(index, job)| (index, job.subject.clone(), job.wants_anchors)).collect()
    }

    /// Takes the result of a job.
    pub(crate) fn settle(&mut self, index: usize, outcome: Outcome) {
        self.jobs[index].outcome = Some(outcome);
        for occurrence in &self.jobs[index].occurrences {
            let verdict = self.verdict(&self.occurrences[*occurrence]);
            self.progress.done += 1;
            self.progress.broken += usize::from(matches!(verdict, Verdict::Broken(_)));
        }
    }

    fn outcome(&self, occurrence: &Occurrence) -> Option<&Outcome> {
        match &occurrence.lead {
            Lead::Settled(_) => None,
            Lead::Job { index, .. } => self.jobs[*index].outcome.as_ref(),
        }
    }

    fn verdict(&self, occurrence: &Occurrence) -> Verdict {
        let fragment = match &occurrence.lead {
            Lead::Settled(verdict) => return verdict.clone(),
            Lead::Job { fragment, .. } => fragment.as_ref(),
        };
        let Some(outcome) = self.outcome(occurrence) else { return Verdict::Unchecked };
        match (&outcome.result, fragment) {
            (Err(problem), _) => Verdict::Broken(problem.clone()),
            (Ok(_), None) => Verdict::Ok,
            (Ok(Fragments::Unknown), Some(_)) => Verdict::Ok,
            (Ok(Fragments::Unreadable(problem)), Some(_)) => Verdict::Broken(problem.clone()),
            (Ok(Fragments::Known(anchors)), Some(fragment)) => match anchors.contains(fragment) {
                true => Verdict::Ok,
                false => Verdict::Broken(Problem::Anchor(fragment.clone())),
            },
        }
    }

    /// Every link, in the order of the documents and of its place there.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let finding = |occurrence: &Occurrence| {
            let outcome = self.outcome(occurrence);
            Finding {
                source: self.sources[occurrence.source].clone(),
                place: occurrence.place,
                url: occurrence.written.clone(),
                verdict: self.verdict(occurrence),
                status: outcome.and_then(|outcome| outcome.status),
                redirected_to: outcome.and_then(|outcome| outcome.redirected_to.clone()),
            }
        };
        self.occurrences.iter().map(finding).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::resolve::file_url;
    use crate::extract::{Document, Format, extract};

    fn add(plan: &mut Plan, path: &str, text: &str) {
        let Document { links, anchors, .. } = extract(text, Format::Markdown);
        let url = file_url(path).unwrap();
        plan.add_anchors(path.to_owned(), anchors);
        plan.add_document(path.to_owned(), links, &Resolver::new(&url, None, None, &[], false));
    }

    fn ok(fragments: Fragments) -> Outcome {
        Outcome { status: Some(200), redirected_to: None, result: Ok(fragments) }
    }

    fn verdicts(plan: &Plan) -> Vec<Verdict> {
        plan.findings().into_iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn links_to_the_same_page_are_one_job() {
        let mut plan = Plan::default();
        add(&mut plan, "/a.md", "[a](https://x.example/p) [b](https://x.example/p#f)");
        add(&mut plan, "/b.md", "[c](https://X.example:443/p#g)");
        let url = Url::parse("https://x.example/p").unwrap();
        assert_eq!(plan.open_jobs(), [(0, Subject::Page(url), true)]);
        assert_eq!(verdicts(&plan), [Verdict::Unchecked, Verdict::Unchecked, Verdict::Unchecked]);

        let anchors = extract("# f", Format::Markdown).anchors;
        plan.settle(0, ok(Fragments::Known(anchors)));
        let missing = Verdict::Broken(Problem::Anchor("g".to_owned()));
        assert_eq!(verdicts(&plan), [Verdict::Ok, Verdict::Ok, missing]);
        assert_eq!(plan.progress(), Progress { total: 3, done: 3, broken: 1 });
        assert_eq!(plan.open_jobs(), []);
    }

    #[test]
    fn without_fragments_no_anchors_are_wanted() {
        let mut plan = Plan::default();
        add(&mut plan, "/a.md", "[a](b.md) [b](https://x.example/#L10) [c](c.md#)");
        assert!(plan.open_jobs().iter().all(|(_, _, wants_anchors)| !wants_anchors));
    }

    #[test]
    fn some_links_are_settled_at_once() {
        let mut plan = Plan::default();
        add(&mut plan, "/a.md", "[a](mailto:x@y.example) [b](http://) [c][nope] [d](/x)");
        assert_eq!(plan.open_jobs(), []);
        assert_eq!(plan.progress(), Progress { total: 4, done: 4, broken: 3 });
        assert_eq!(plan.findings()[2].url, "[nope]");
    }

    #[test]
    fn a_page_known_as_input_is_not_asked_for_again() {
        let mut plan = Plan::default();
        add(&mut plan, "/a.md", "[a](https://x.example/p)");
        plan.add_known(Url::parse("https://x.example/p").unwrap(), ok(Fragments::Unknown));
        assert_eq!(plan.open_jobs(), []);
        assert_eq!(verdicts(&plan), [Verdict::Ok]);
    }

    #[test]
    fn any_fragment_is_fine_where_none_can_be_checked() {
        let mut plan = Plan::default();
        add(&mut plan, "/a.md", "[a](b.pdf#page=3)");
        plan.settle(0, ok(Fragments::Unknown));
        assert_eq!(verdicts(&plan), [Verdict::Ok]);
    }
}
