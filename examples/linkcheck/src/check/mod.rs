//! The check itself: reads the inputs, then looks at everything that they link to.

pub(crate) mod file;
mod http;
mod limits;
mod plan;
mod resolve;
mod retry;

use std::cell::RefCell;

use async_lock::Semaphore;
use futures_util::stream::{self, FuturesUnordered, StreamExt as _};
use url::Url;

use self::file::Fragments;
use self::http::{Content, DecodeError, Fetcher, Page, Reply, Want};
pub(crate) use self::plan::{Finding, Progress, Verdict};
use self::plan::{Outcome, Plan, Subject};
#[cfg(test)]
pub(crate) use self::resolve::Skip;
use self::resolve::{Resolver, file_url};
use crate::cli::Options;
use crate::extract::{Document, Format, extract, place_of};
use crate::input::{self, Input};
use crate::problem::{FileProblem, InputError, InputProblem, Problem};

/// Files that are read at the same time. Each may hold a file descriptor, and those are few.
const FILES_AT_A_TIME: usize = 16;

/// Why there is no check at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    #[error("the current folder is unknown")]
    NoCurrentDir,
    #[error("--root {path}: {problem}")]
    Root { path: String, problem: FileProblem },
    #[error("--user-agent: {0}")]
    Client(#[from] kippu::http::Error),
    #[error("{path}: {problem}")]
    Path { path: String, problem: Problem },
}

/// One check and what is known so far. It may be dropped or read at any time.
#[derive(Debug)]
pub(crate) struct Check<'a> {
    options: &'a Options,
    cwd: String,
    root: Option<Url>,
    fetcher: Fetcher<'a>,
    files: Semaphore,
    plan: RefCell<Plan>,
    errors: RefCell<Vec<InputError>>,
}

/// An input that was read.
struct Loaded {
    source: String,
    /// What its links start from.
    url: Url,
    /// Of files.
    path: Option<String>,
    document: Document,
}

/// The fields of [`Loaded`] that are not known beforehand.
type Parts = (Url, Option<String>, Document);

impl<'a> Check<'a> {
    /// Prepares a check.
    ///
    /// # Errors
    /// When an option means nothing on this machine.
    pub(crate) async fn new(options: &'a Options) -> Result<Self, SetupError> {
        let cwd = kippu::env::current_dir()
            .ok()
            .and_then(|path| path.to_str().map(str::to_owned))
            .ok_or(SetupError::NoCurrentDir)?;
        let root = match &options.root {
            Some(path) => Some(root_url(&cwd, path).await?),
            None => None,
        };
        Ok(Self {
            options,
            cwd,
            root,
            fetcher: Fetcher::new(options)?,
            files: Semaphore::new(FILES_AT_A_TIME),
            plan: RefCell::default(),
            errors: RefCell::default(),
        })
    }

    /// Checks everything. Dropping the future cancels all requests; what is known stays.
    pub(crate) async fn run(&self) {
        let inputs = input::expand(&self.options.inputs, &self.cwd, |error| self.fail(error)).await;
        let mut loading = stream::iter(inputs)
            .map(|input| self.load(input))
            .buffered(self.options.concurrency.max(FILES_AT_A_TIME));
        while let Some(loaded) = loading.next().await {
            match loaded {
                Ok(loaded) => self.add(loaded),
                Err(error) => self.fail(error),
            }
        }

        let jobs = self.plan.borrow_mut().open_jobs();
        let mut running: FuturesUnordered<_> =
            jobs.into_iter()
                .map(|(index, subject, anchors)| async move {
                    (index, self.look(subject, anchors).await)
                })
                .collect();
        while let Some((index, outcome)) = running.next().await {
            self.plan.borrow_mut().settle(index, outcome);
        }
    }

    /// How far the check is, in links.
    pub(crate) fn progress(&self) -> Progress {
        self.plan.borrow().progress()
    }

    /// How many documents were read.
    pub(crate) fn documents(&self) -> usize {
        self.plan.borrow().documents()
    }

    /// How many requests are under way.
    pub(crate) fn in_flight(&self) -> usize {
        self.fetcher.in_flight()
    }

    /// Every link that is known so far.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.plan.borrow().findings()
    }

    /// What could not be read so far.
    pub(crate) fn errors(&self) -> Vec<InputError> {
        self.errors.borrow().clone()
    }

    fn fail(&self, error: InputError) {
        self.errors.borrow_mut().push(error);
    }

    fn add(&self, loaded: Loaded) {
        let Loaded { source, url, path, document } = loaded;
        let resolver = Resolver::new(
            &url,
            document.base.as_deref(),
            self.root.as_ref(),
            &self.options.exclude,
            self.options.offline,
        );
        let mut plan = self.plan.borrow_mut();
        if let Some(path) = path {
            plan.add_anchors(path, document.anchors);
        }
        plan.add_document(source, document.links, &resolver);
    }

    async fn load(&self, input: Input) -> Result<Loaded, InputError> {
        let (source, loaded) = match input {
            Input::File { path, shown, format } => (shown, self.load_file(path, format).await),
            Input::Page { url, shown } => (shown, self.load_page(url).await),
        };
        match loaded {
            Ok((url, path, document)) => Ok(Loaded { source, url, path, document }),
            Err(problem) => Err(InputError { source, problem }),
        }
    }

    async fn load_file(&self, path: String, format: Format) -> Result<Parts, InputProblem> {
        let _place = self.files.acquire().await;
        let url = file_url(&path)?;
        let document = extract(&file::read_document(&path).await?, format);
        Ok((url, Some(path), document))
    }

    async fn load_page(&self, url: Url) -> Result<Parts, InputProblem> {
        let reply = self.fetcher.fetch(&url, Want::Document).await;
        let document = read_page(&reply);
        let last_url = reply.redirected_to.clone().unwrap_or_else(|| url.clone());
        self.plan.borrow_mut().add_known(url, outcome(reply));
        Ok((last_url, None, document?))
    }

    async fn look(&self, subject: Subject, with_anchors: bool) -> Outcome {
        match subject {
            Subject::Page(url) => {
                let want = if with_anchors { Want::Document } else { Want::Status };
                outcome(self.fetcher.fetch(&url, want).await)
            }
            Subject::File(path) => {
                let _place = self.files.acquire().await;
                let shown = input::shown(&self.cwd, &path);
                let known = |path: &str| self.plan.borrow().anchors_of(path);
                let result = file::look(&path, shown, with_anchors, known).await;
                Outcome { status: None, redirected_to: None, result }
            }
        }
    }
}

/// What a reply says about the links to its page.
fn outcome(reply: Reply) -> Outcome {
    let fragments = |content| match content {
        // For anchors a page that is not quite text is good enough.
        Content::Document(page) => {
            Fragments::Known(extract(&page.text_lossy(), page.format).anchors)
        }
        Content::NotRead | Content::NoDocument(_) => Fragments::Unknown,
    };
    Outcome {
        status: reply.status,
        redirected_to: reply.redirected_to.map(String::from),
        result: reply.result.map(fragments),
    }
}

/// The document of a page that was given as an input.
fn read_page(reply: &Reply) -> Result<Document, InputProblem> {
    match &reply.result {
        Err(problem) => Err(problem.clone().into()),
        Ok(Content::Document(page)) => Ok(extract(&text_of(page)?, page.format)),
        Ok(Content::NoDocument(Some(content_type))) => {
            Err(InputProblem::NoDocument(content_type.clone()))
        }
        Ok(Content::NoDocument(None) | Content::NotRead) => Err(InputProblem::NoContentType),
    }
}

fn text_of(page: &Page) -> Result<String, InputProblem> {
    page.text().map_err(|error| match error {
        DecodeError::UnknownCharset(label) => InputProblem::UnknownCharset(label),
        DecodeError::NotUtf8 { valid_up_to: byte } => {
            let place = place_of(page.valid_start(byte));
            FileProblem::NotUtf8 { place, byte }.into()
        }
    })
}

/// The folder of `--root`.
async fn root_url(cwd: &str, path: &str) -> Result<Url, SetupError> {
    let absolute = input::absolute(cwd, path);
    let fail = |problem| SetupError::Root { path: path.to_owned(), problem };
    if !file::metadata(&absolute).await.map_err(fail)?.is_dir() {
        return Err(fail(FileProblem::NotAFolder));
    }
    // The slash at the end makes it a folder for URLs too.
    file_url(&format!("{}/", absolute.trim_end_matches('/')))
        .map_err(|problem| SetupError::Path { path: path.to_owned(), problem })
}
