//! Search as you type: what a page asks, and what it shows.
//!
//! JavaScript loads documents and draws; this decides when to load, wait, search and give up.

mod find;

use std::cell::RefCell;
use std::rc::Rc;

use kippu::HostError;
use kippu::task::{self, JoinHandle};
use kippu::time::{Duration, Instant, sleep, timeout};
use postcard_schema::Schema;
use serde::Serialize;

use find::Query;

/// Who types does not want to see what the first letters find: a search waits for so long.
const PAUSE: Duration = Duration::from_millis(120);
/// A document that has not come by then is asked for once more.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many hits are shown; all are counted.
const SHOWN: usize = 40;
/// After so many lines a search lets the page and other tasks go on.
const LINES: usize = 200;

/// The text of a document.
#[kippu::host]
async fn load(document: &str) -> Result<String, HostError>;

/// Says what is going on.
#[kippu::host]
fn status(text: &str);

/// Shows what was found.
#[kippu::host]
fn show(found: &Found);

/// What the page shows.
#[derive(Serialize, Schema)]
struct Found {
    query: String,
    hits: Vec<Hit>,
    total: u32,
    ms: f64,
}

/// A line with what was looked for in it.
#[derive(Serialize, Schema)]
struct Hit {
    document: String,
    line: u32,
    before: String,
    found: String,
    after: String,
}

struct Document {
    name: String,
    text: String,
}

/// The documents, and the search that is going on.
#[derive(Default)]
struct Desk {
    documents: Rc<[Document]>,
    search: Option<JoinHandle<()>>,
}

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

/// Loads the documents, all at the same time, and gives the number of their lines.
///
/// # Errors
/// What `load` says of the first that did not come.
#[kippu::export]
async fn open(names: Vec<String>) -> Result<u32, HostError> {
    let count = names.len();
    let mut loads = Vec::new();
    for name in names {
        loads.push(task::spawn(fetch(name)));
    }
    let mut documents = Vec::new();
    for load in loads {
        let document = load.await.map_err(|error| HostError::new(error.to_string()))?;
        documents.push(document?);
        status(&format!("{} of {count} documents", documents.len()));
    }
    let lines: usize = documents.iter().map(|document| document.text.lines().count()).sum();
    DESK.with_borrow_mut(|desk| desk.documents = documents.into());
    Ok(lines as u32)
}

async fn fetch(name: String) -> Result<Document, HostError> {
    let text = match timeout(PATIENCE, load(&name)).await {
        Ok(text) => text?,
        // The first request was cancelled: JavaScript's signal has aborted.
        Err(_) => load(&name).await?,
    };
    Ok(Document { name, text })
}

/// The text in the page's box has changed. What was being searched is of no interest any more.
#[kippu::export]
fn typed(query: String) {
    DESK.with_borrow_mut(|desk| {
        if let Some(outdated) = desk.search.take() {
            outdated.abort();
        }
        let documents = desk.documents.clone();
        desk.search = Some(task::Builder::new().name("search").spawn(search(query, documents)));
    });
}

async fn search(query: String, documents: Rc<[Document]>) {
    sleep(PAUSE).await;
    let start = Instant::now();
    let mut found = Found { query, hits: Vec::new(), total: 0, ms: 0.0 };
    if let Some(query) = Query::new(&found.query) {
        status("searching…");
        for document in documents.iter() {
            for (index, line) in document.text.lines().enumerate() {
                if index % LINES == LINES - 1 {
                    task::yield_now().await;
                }
                if let Some(place) = query.find(line) {
                    found.total += 1;
                    if found.hits.len() < SHOWN {
                        found.hits.push(Hit {
                            document: document.name.clone(),
                            line: index as u32 + 1,
                            before: line[..place.start].to_owned(),
                            found: line[place.clone()].to_owned(),
                            after: line[place.end..].to_owned(),
                        });
                    }
                }
            }
        }
    }
    found.ms = start.elapsed().as_secs_f64() * 1000.0;
    show(&found);
}
