//! Finds words in files.

// ANCHOR: program
use kippu::HostError;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Schema)]
struct Query {
    word: String,
    paths: Vec<String>,
    limit: Option<u32>,
}

#[derive(Serialize, Schema)]
struct Hit {
    path: String,
    line: u64,
    text: Option<String>,
}

/// The text of a file.
#[kippu::host]
async fn load(path: &str) -> Result<String, HostError>;

/// The lines that have the word, file by file.
#[kippu::export]
async fn find(query: Query) -> Result<Vec<Hit>, HostError> {
    let limit = query.limit.map_or(usize::MAX, |limit| limit as usize);
    let mut hits = Vec::new();
    for path in query.paths {
        let text = load(&path).await?;
        let found = (1..).zip(text.lines()).filter(|(_, text)| text.contains(&query.word));
        let room = limit - hits.len();
        hits.extend(found.take(room).map(|(line, text)| Hit {
            path: path.clone(),
            line,
            text: (!text.is_empty()).then(|| text.to_owned()),
        }));
    }
    Ok(hits)
}
// ANCHOR_END: program
