//! Paths: how they are resolved, and which errors they give. `conformance/links` has symbolic links; programs start in the root of
//! this repository.

use std::io::ErrorKind;

use kippu::task::spawn;
use kippu::time::{Duration, sleep};
use kippu::{env, fs};

use crate::files::{folder, kind};
use crate::support::{Outcome, cases, failed, holds, same};

cases!("paths" needs "fs":
    they_start_from_the_working_directory,
    dots_and_doubled_slashes_say_nothing,
    parents_are_those_of_the_file_system,
    a_slash_at_the_end_means_a_directory,
    parts_on_the_way_are_directories,
    the_empty_path_is_none,
    long_names_are_refused,
    directories_are_no_files,
    directories_are_created_where_nothing_is_in_the_way,
    only_what_fits_is_replaced,
    links_are_followed,
    links_are_seen_and_listed,
    links_in_a_circle_and_to_nothing,
    links_are_resolved,
    only_directories_are_removed_with_all_in_them,
    busy_files_keep_no_timer_waiting,
);

/// With symbolic links.
const LINKS: &str = "conformance/links";

async fn text(path: impl AsRef<std::path::Path>) -> Result<String, String> {
    fs::read_to_string(path).await.map_err(failed)
}

async fn real(path: impl AsRef<std::path::Path>) -> Result<String, String> {
    let path = fs::canonicalize(path).await.map_err(failed)?;
    Ok(path.to_str().ok_or("it is UTF-8")?.to_owned())
}

async fn they_start_from_the_working_directory() -> Outcome {
    let cwd = env::current_dir().map_err(failed)?;
    same(text(format!("{LINKS}/file")).await?.as_str(), "content\n")?;
    same(text(cwd.join(LINKS).join("file")).await?.as_str(), "content\n")?;
    same(real(".").await?, real(&cwd).await?)?;
    same(real(LINKS).await?, real(cwd.join(LINKS)).await?)?;
    holds(fs::metadata(".").await.map_err(failed)?.is_dir(), "it is a directory")
}

async fn dots_and_doubled_slashes_say_nothing() -> Outcome {
    let dir = folder("dots").await?;
    fs::create_dir_all(format!("{dir}//a/./b//")).await.map_err(failed)?;
    fs::write(format!("{dir}/./a//b/.///f"), "x").await.map_err(failed)?;
    same(text(format!("{dir}/a/b/f")).await?.as_str(), "x")?;
    same(real(format!("{dir}/./a//./b/")).await?, real(format!("{dir}/a/b")).await?)
}

async fn parents_are_those_of_the_file_system() -> Outcome {
    let dir = folder("parents").await?;
    fs::create_dir_all(format!("{dir}/a/b")).await.map_err(failed)?;
    fs::write(format!("{dir}/f"), "x").await.map_err(failed)?;
    same(text(format!("{dir}/a/b/../../f")).await?.as_str(), "x")?;
    same(text(format!("{dir}/../parents/f")).await?.as_str(), "x")?;
    same(kind(fs::read(format!("{dir}/missing/../f")).await), Some(ErrorKind::NotFound))?;
    // The parent of what a link leads to.
    same(text(format!("{LINKS}/to-dir/../file")).await?.as_str(), "content\n")?;
    same(text(format!("{LINKS}/dir/../../links/file")).await?.as_str(), "content\n")
}

async fn a_slash_at_the_end_means_a_directory() -> Outcome {
    let dir = folder("slash").await?;
    let file = format!("{dir}/f");
    fs::write(&file, "x").await.map_err(failed)?;
    for path in [format!("{file}/"), format!("{file}/."), format!("{file}//")] {
        same(kind(fs::metadata(&path).await), Some(ErrorKind::NotADirectory))?;
        same(kind(fs::symlink_metadata(&path).await), Some(ErrorKind::NotADirectory))?;
        same(kind(fs::read(&path).await), Some(ErrorKind::NotADirectory))?;
        same(kind(fs::canonicalize(&path).await), Some(ErrorKind::NotADirectory))?;
    }
    for path in [format!("{dir}/"), format!("{dir}/.")] {
        holds(fs::metadata(&path).await.map_err(failed)?.is_dir(), &path)?;
        same(fs::read_dir(&path).await.map_err(failed)?.len(), 1)?;
    }
    fs::create_dir_all(format!("{dir}/old/")).await.map_err(failed)?;
    fs::rename(format!("{dir}/old/"), format!("{dir}/new/")).await.map_err(failed)?;
    fs::remove_dir_all(format!("{dir}/new/")).await.map_err(failed)?;
    same(kind(fs::remove_file(format!("{file}/")).await), Some(ErrorKind::NotADirectory))?;
    same(text(&file).await?.as_str(), "x")?;
    // The slash follows a link.
    let link = fs::symlink_metadata(format!("{LINKS}/to-dir/")).await.map_err(failed)?;
    holds(link.is_dir(), "a link with a slash is what it leads to")
}

async fn parts_on_the_way_are_directories() -> Outcome {
    let dir = folder("way").await?;
    let file = format!("{dir}/f");
    fs::write(&file, "x").await.map_err(failed)?;
    let below = format!("{file}/below");
    let expected = Some(ErrorKind::NotADirectory);
    same(kind(fs::read(&below).await), expected)?;
    same(kind(fs::write(&below, "").await), expected)?;
    same(kind(fs::metadata(&below).await), expected)?;
    same(kind(fs::read_dir(&below).await), expected)?;
    same(kind(fs::remove_file(&below).await), expected)?;
    same(kind(fs::canonicalize(&below).await), expected)?;
    same(kind(fs::rename(&below, format!("{dir}/g")).await), expected)?;
    same(kind(fs::metadata(format!("{file}/../f")).await), expected)
}

async fn the_empty_path_is_none() -> Outcome {
    let expected = Some(ErrorKind::NotFound);
    same(kind(fs::read("").await), expected)?;
    same(kind(fs::write("", "x").await), expected)?;
    same(kind(fs::symlink_metadata("").await), expected)?;
    same(kind(fs::read_dir("").await), expected)?;
    same(kind(fs::remove_file("").await), expected)?;
    same(kind(fs::canonicalize("").await), expected)?;
    same(kind(fs::rename("", "x").await), expected)
}

async fn long_names_are_refused() -> Outcome {
    let dir = folder("long").await?;
    let name = "n".repeat(255);
    fs::write(format!("{dir}/{name}"), "x").await.map_err(failed)?;
    same(text(format!("{dir}/{name}")).await?.as_str(), "x")?;
    holds(fs::write(format!("{dir}/{name}n"), "x").await.is_err(), "256 bytes are too long")?;
    holds(fs::metadata(format!("{dir}/{name}n")).await.is_err(), "256 bytes are too long")
}

async fn directories_are_no_files() -> Outcome {
    let dir = folder("no-files").await?;
    same(kind(fs::read(&dir).await), Some(ErrorKind::IsADirectory))?;
    same(kind(fs::write(&dir, "").await), Some(ErrorKind::IsADirectory))?;
    same(kind(fs::write(&dir, "text").await), Some(ErrorKind::IsADirectory))?;
    holds(fs::remove_file(&dir).await.is_err(), "a directory is removed by another function")?;
    same(fs::read_dir(&dir).await.map_err(failed)?.len(), 0)
}

async fn directories_are_created_where_nothing_is_in_the_way() -> Outcome {
    let dir = folder("create").await?;
    let file = format!("{dir}/f");
    fs::write(&file, "x").await.map_err(failed)?;
    same(kind(fs::create_dir_all(&file).await), Some(ErrorKind::AlreadyExists))?;
    same(kind(fs::create_dir_all(format!("{file}/a")).await), Some(ErrorKind::NotADirectory))?;
    same(kind(fs::create_dir_all(format!("{file}/a/b")).await), Some(ErrorKind::NotADirectory))?;
    fs::create_dir_all(format!("{dir}/a/b/c/d/")).await.map_err(failed)?;
    fs::create_dir_all(format!("{dir}/a/b/../../a/b/c")).await.map_err(failed)?;
    fs::create_dir_all(&dir).await.map_err(failed)?;
    fs::create_dir_all(".").await.map_err(failed)?;
    let names = fs::read_dir(&dir).await.map_err(failed)?;
    same(names.iter().map(|entry| entry.name()).collect::<Vec<_>>(), vec!["a", "f"])
}

async fn only_what_fits_is_replaced() -> Outcome {
    let dir = folder("fits").await?;
    let at = |name: &str| format!("{dir}/{name}");
    for name in ["full/inner", "empty", "other/inner"] {
        fs::create_dir_all(at(name)).await.map_err(failed)?;
    }
    fs::write(at("file"), "x").await.map_err(failed)?;
    same(kind(fs::rename(at("file"), at("empty")).await), Some(ErrorKind::IsADirectory))?;
    same(kind(fs::rename(at("empty"), at("file")).await), Some(ErrorKind::NotADirectory))?;
    same(kind(fs::rename(at("other"), at("full")).await), Some(ErrorKind::DirectoryNotEmpty))?;
    same(kind(fs::rename(at("missing"), at("new")).await), Some(ErrorKind::NotFound))?;
    same(kind(fs::rename(at("file"), at("missing/new")).await), Some(ErrorKind::NotFound))?;
    holds(fs::rename(at("full"), at("full/inner/x")).await.is_err(), "into itself")?;
    fs::rename(at("other"), at("empty")).await.map_err(failed)?;
    holds(fs::metadata(at("empty/inner")).await.map_err(failed)?.is_dir(), "it was renamed")?;
    fs::rename(at("file"), at("file")).await.map_err(failed)?;
    same(text(at("file")).await?.as_str(), "x")
}

async fn links_are_followed() -> Outcome {
    for path in ["to-file", "dir/to-up", "to-dir/to-up", "far"] {
        same(text(format!("{LINKS}/{path}")).await?.as_str(), "content\n")?;
        let found = fs::metadata(format!("{LINKS}/{path}")).await.map_err(failed)?;
        same((found.is_file(), found.is_symlink(), found.len()), (true, false, 8))?;
    }
    same(text(format!("{LINKS}/to-dir/inner")).await?.as_str(), "inner\n")?;
    let entries = fs::read_dir(format!("{LINKS}/to-dir")).await.map_err(failed)?;
    same(entries.iter().map(|entry| entry.name()).collect::<Vec<_>>(), vec!["inner", "to-up"])
}

async fn links_are_seen_and_listed() -> Outcome {
    let link = fs::symlink_metadata(format!("{LINKS}/to-dir")).await.map_err(failed)?;
    same((link.is_symlink(), link.is_dir(), link.is_file()), (true, false, false))?;
    same(link.len(), 3)?;
    let entries = fs::read_dir(LINKS).await.map_err(failed)?;
    let found: Vec<_> =
        entries.iter().map(|entry| (entry.name(), entry.is_symlink(), entry.is_dir())).collect();
    let link = |name| (name, true, false);
    same(
        found,
        vec![
            link("circle"),
            ("dir", false, true),
            link("far"),
            ("file", false, false),
            link("to-dir"),
            link("to-file"),
            link("to-nothing"),
        ],
    )
}

async fn links_in_a_circle_and_to_nothing() -> Outcome {
    let circle = format!("{LINKS}/circle");
    holds(fs::read(&circle).await.is_err(), "a circle has no content")?;
    holds(fs::metadata(&circle).await.is_err(), "a circle leads nowhere")?;
    holds(fs::canonicalize(&circle).await.is_err(), "a circle has no real path")?;
    holds(fs::canonicalize(format!("{circle}/x")).await.is_err(), "nothing is below a circle")?;
    holds(fs::symlink_metadata(&circle).await.map_err(failed)?.is_symlink(), "it is a link")?;
    let nothing = format!("{LINKS}/to-nothing");
    same(kind(fs::read(&nothing).await), Some(ErrorKind::NotFound))?;
    same(kind(fs::metadata(&nothing).await), Some(ErrorKind::NotFound))?;
    same(kind(fs::canonicalize(&nothing).await), Some(ErrorKind::NotFound))?;
    holds(fs::symlink_metadata(&nothing).await.map_err(failed)?.is_symlink(), "it is a link")
}

async fn links_are_resolved() -> Outcome {
    let root = real(LINKS).await?;
    for path in ["file", "to-file", "dir/to-up", "to-dir/to-up", "to-dir/../file", "far"] {
        same(real(format!("{LINKS}/{path}")).await?, format!("{root}/file"))?;
    }
    same(real(format!("{LINKS}/to-dir/")).await?, format!("{root}/dir"))?;
    same(real(format!("{LINKS}/to-dir/inner")).await?, format!("{root}/dir/inner"))
}

async fn only_directories_are_removed_with_all_in_them() -> Outcome {
    let dir = folder("remove-all").await?;
    fs::create_dir_all(format!("{dir}/a/b")).await.map_err(failed)?;
    fs::write(format!("{dir}/a/b/f"), "x").await.map_err(failed)?;
    same(kind(fs::remove_dir_all(format!("{dir}/a/b/f")).await), Some(ErrorKind::NotADirectory))?;
    same(text(format!("{dir}/a/b/f")).await?.as_str(), "x")?;
    fs::remove_dir_all(format!("{dir}/a/")).await.map_err(failed)?;
    same(kind(fs::metadata(format!("{dir}/a")).await), Some(ErrorKind::NotFound))
}

async fn busy_files_keep_no_timer_waiting() -> Outcome {
    let path = format!("{}/f", folder("busy").await?);
    fs::write(&path, "x").await.map_err(failed)?;
    let busy = spawn(async move {
        loop {
            if fs::metadata(&path).await.is_err() {
                break;
            }
        }
    });
    sleep(Duration::from_millis(20)).await;
    busy.abort();
    holds(busy.await.is_err(), "it was aborted")
}
