//! Spans in a trace file, natively. The subscriber belongs to the whole process, so the program that makes the file is
//! this same binary, started again.

use std::path::Path;
use std::process::{Command, Output};

use kippu::task::spawn;
use kippu::time::{Duration, sleep};
use serde_json::Value;
use tracing::{Instrument, info, info_span};

/// The program; the test below starts it.
#[test]
#[ignore = "started by the other tests"]
fn program() {
    let work = async {
        let _guard = kippu::trace::init()?;
        // A second one does no harm to the file of the first.
        assert_eq!(kippu::trace::init().is_err(), std::env::var_os("KIPPU_TRACE").is_some());
        let span = info_span!("waiting", row = 7);
        let task = spawn(
            async {
                info!("before");
                sleep(Duration::from_millis(20)).await;
                info!("after");
            }
            .instrument(span),
        );
        sleep(Duration::from_millis(10)).await;
        task.await.map_err(|error| std::io::Error::other(error.to_string()))
    };
    kippu::block_on(work).unwrap().unwrap();
}

fn run(trace: Option<&Path>) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "program", "--ignored"]).env_remove("KIPPU_TRACE");
    if let Some(path) = trace {
        command.env("KIPPU_TRACE", path);
    }
    command.output().unwrap()
}

#[test]
fn the_file_holds_each_poll_of_a_span() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.json");
    let output = run(Some(&path));
    assert!(output.status.success(), "{output:?}");
    let events: Vec<Value> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let of = |name: &str| -> Vec<&Value> { events.iter().filter(|e| e["name"] == name).collect() };
    let spans = of("waiting");
    let polls: Vec<f64> =
        spans.iter().filter(|e| e["ph"] == "B").map(|e| e["ts"].as_f64().unwrap()).collect();
    assert!(polls.len() >= 2, "{spans:?}");
    assert_eq!(spans.iter().filter(|e| e["ph"] == "E").count(), polls.len());
    assert!(polls[polls.len() - 1] - polls[0] >= 20_000.0, "it is left while it waits: {polls:?}");
    assert_eq!(spans[0]["args"]["row"], "7");
    assert_eq!(events.iter().filter(|e| e["ph"] == "i").count(), 2);
}

#[test]
fn without_the_variable_there_is_no_file() {
    assert!(run(None).status.success());
}

#[test]
fn a_file_that_cannot_be_made_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(Some(&folder.path().join("none/trace.json")));
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("cannot make the trace file") && text.contains("none/trace.json"),
        "{text}"
    );
}
