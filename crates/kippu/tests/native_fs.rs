//! Files natively: what is written is there, and errors say what and where.
#![cfg(not(target_family = "wasm"))]

use std::io::ErrorKind;
use std::time::{Duration, SystemTime};

use kippu::fs;

fn run<T>(future: impl Future<Output = T>) -> T {
    kippu::block_on(future).expect("the program can end")
}

#[test]
fn what_is_written_is_read() {
    let dir = tempfile::tempdir().expect("a place to write");
    let path = dir.path().join("a file");
    run(async {
        let data: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
        fs::write(&path, &data).await.expect("written");
        assert!(fs::read(&path).await.expect("read") == data);
        fs::write(&path, "shorter ä").await.expect("replaced");
        assert_eq!(fs::read_to_string(&path).await.expect("read"), "shorter ä");

        let found = fs::metadata(&path).await.expect("it exists");
        assert!(found.is_file() && !found.is_dir() && !found.is_symlink());
        assert_eq!(found.len(), "shorter ä".len() as u64);
        let modified = found.modified().expect("this system keeps times");
        let age = SystemTime::now().duration_since(modified).unwrap_or_default();
        assert!(age < Duration::from_secs(60), "modified {age:?} ago");
    });
}

#[test]
fn directories_are_made_listed_renamed_and_removed() {
    let dir = tempfile::tempdir().expect("a place to write");
    run(async {
        let inner = dir.path().join("x/y/z");
        fs::create_dir_all(&inner).await.expect("made");
        fs::create_dir_all(&inner).await.expect("made before");
        for name in ["b", "a", "ä", "B"] {
            fs::write(inner.join(name), name).await.expect("written");
        }
        fs::create_dir_all(inner.join("dir")).await.expect("made");
        let entries = fs::read_dir(&inner).await.expect("listed");
        let names: Vec<_> = entries.iter().map(|entry| entry.name()).collect();
        assert_eq!(names, ["B", "a", "b", "dir", "ä"]);
        assert!(entries[3].is_dir() && !entries[3].is_file());
        assert!(entries[0].is_file() && !entries[0].is_symlink());
        assert_eq!(fs::read_to_string(entries[4].path()).await.expect("read"), "ä");

        fs::rename(inner.join("a"), inner.join("b")).await.expect("renamed");
        assert_eq!(fs::read_to_string(inner.join("b")).await.expect("read"), "a");
        fs::remove_file(inner.join("b")).await.expect("removed");
        let gone = fs::remove_file(inner.join("b")).await.expect_err("gone");
        assert_eq!(gone.kind(), ErrorKind::NotFound);
        fs::remove_dir_all(dir.path().join("x")).await.expect("removed");
        assert!(fs::read_dir(dir.path()).await.expect("listed").is_empty());
    });
}

#[cfg(unix)]
#[test]
fn links_are_followed_or_shown() {
    let dir = tempfile::tempdir().expect("a place to write");
    let (target, link) = (dir.path().join("target"), dir.path().join("link"));
    std::os::unix::fs::symlink("target", &link).expect("linked");
    run(async {
        fs::write(&target, "x").await.expect("written");
        assert!(fs::metadata(&link).await.expect("followed").is_file());
        assert!(fs::symlink_metadata(&link).await.expect("shown").is_symlink());
        let entries = fs::read_dir(dir.path()).await.expect("listed");
        assert!(entries[0].is_symlink() && !entries[0].is_file());
        let expected = fs::canonicalize(&target).await.expect("resolved");
        assert_eq!(fs::canonicalize(&link).await.expect("resolved"), expected);
        fs::remove_file(&link).await.expect("the link is removed");
        assert_eq!(fs::read_to_string(&target).await.expect("not what it led to"), "x");
    });
}

#[test]
fn an_error_has_the_kind_and_names_what_and_where() {
    let dir = tempfile::tempdir().expect("a place to write");
    let missing = dir.path().join("missing");
    run(async {
        let error = fs::read(&missing).await.expect_err("missing");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let expected = format!("cannot read {}: ", missing.display());
        assert!(error.to_string().starts_with(&expected), "{error}");

        let error = fs::rename(&missing, dir.path().join("b")).await.expect_err("missing");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("missing"), "{error}");

        let error = fs::read_dir(&missing).await.expect_err("missing");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let error = fs::read(dir.path()).await.expect_err("a directory");
        assert_eq!(error.kind(), ErrorKind::IsADirectory);

        fs::write(&missing, b"a\xFF").await.expect("written");
        let error = fs::read_to_string(&missing).await.expect_err("not UTF-8");
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains("byte 1"), "{error}");
        assert!(fs::read("with\0zero").await.is_err());
    });
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(b"/tmp/\xFF"));
    let error = run(fs::read(path)).expect_err("not UTF-8");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_dropped_write_still_happens() {
    let dir = tempfile::tempdir().expect("a place to write");
    let path = dir.path().join("file");
    run(async {
        let writing = fs::write(&path, "all");
        let _ = kippu::time::timeout(Duration::ZERO, writing).await;
        while fs::read(&path).await.unwrap_or_default() != b"all" {
            kippu::time::sleep(Duration::from_millis(1)).await;
        }
    });
}

#[test]
fn many_calls_run_side_by_side() {
    let dir = tempfile::tempdir().expect("a place to write");
    run(async {
        let tasks: Vec<_> = (0..500)
            .map(|index| {
                let path = dir.path().join(index.to_string());
                kippu::task::spawn(async move {
                    fs::write(&path, index.to_string()).await?;
                    fs::read_to_string(&path).await
                })
            })
            .collect();
        for (index, task) in tasks.into_iter().enumerate() {
            let text = task.await.expect("the task ends").expect("a file");
            assert_eq!(text, index.to_string());
        }
    });
}

#[test]
fn the_futures_are_send() {
    fn is_send<T: Send>(_: T) {}
    is_send(fs::read("a"));
    is_send(fs::read_to_string(std::path::PathBuf::from("a")));
    is_send(fs::write("a", vec![0]));
    is_send(fs::metadata("a"));
    is_send(fs::symlink_metadata("a"));
    is_send(fs::read_dir("a"));
    is_send(fs::create_dir_all("a"));
    is_send(fs::remove_file("a"));
    is_send(fs::remove_dir_all("a"));
    is_send(fs::rename("a", "b"));
    is_send(fs::canonicalize("a"));
}

#[test]
fn the_environment_is_that_of_the_process() {
    let dir = kippu::env::current_dir().expect("it exists");
    assert_eq!(dir, std::env::current_dir().expect("it exists"));
    assert_eq!(kippu::env::var("PATH"), std::env::var("PATH").ok());
    assert_eq!(kippu::env::var("NO SUCH=VARIABLE"), None);
    assert_eq!(kippu::env::var(""), None);
    assert_eq!(kippu::env::vars().len(), std::env::vars_os().count());
    assert_eq!(kippu::env::args().len(), std::env::args_os().count() - 1);
}
