//! Files, folders and anchors.

use crate::support::folder::Folder;
use crate::support::hosts::{Report, Scenario};

fn check(folder: &Folder, arguments: &[&str]) -> Report {
    Scenario::new(folder, &[]).json(arguments, |_| ())
}

#[test]
fn good_links_between_files_are_fine() {
    let folder = Folder::with(&[
        (
            "docs/a.md",
            "# Title\n[b](b.md) [anchor](b.md#two-words) [own](#title) [html](c.html?v=1#id)\n\
             [folder](../docs/) [up](../README.md#readme) [space](with%20space.md)\n",
        ),
        ("docs/b.md", "## Two words\n[back](./a.md#Title)\n"),
        ("docs/c.html", "<p id=id><a href=a.md>a</a> <img src=pixel.png>"),
        ("docs/pixel.png", ""),
        ("docs/with space.md", "no links"),
        ("README.md", "# Readme\n[docs](docs#top)\n"),
        ("docs/README.md", ""),
    ]);
    let report = check(&folder, &["."]);
    assert_eq!(report.stderr, "");
    assert_eq!((report.count("links"), report.count("ok")), (11, 11), "{:#?}", report.links());
    assert_eq!(report.count("documents"), 6);
    assert_eq!(report.code, Some(0));
}

#[test]
fn broken_links_are_named_with_file_line_column_and_reason() {
    let folder = Folder::with(&[
        (
            "a.md",
            "# Title\n\n[gone](gone.md) ok\n[anchor](#nope) [other](b.html#nope)\n\
             [undefined][ref]\n[empty]()\n<https://[::1>\n[root](/x.md)\n[dir](sub#x)\n",
        ),
        ("b.html", "<p>\n  <a href=c.html>c</a> <a href='#here'>here</a><img src='a.md/x'>\n"),
        ("sub/x.txt", ""),
    ]);
    let report = check(&folder, &["a.md", "b.html"]);
    assert_eq!(
        report.links(),
        [
            "a.md:3:1 gone.md: broken [not_found] [gone.md: no such file or folder]",
            "a.md:4:1 #nope: broken [anchor] [no anchor #nope there]",
            "a.md:4:17 b.html#nope: broken [anchor] [no anchor #nope there]",
            "a.md:5:1 [ref]: broken [reference] [no definition of [ref] in this document]",
            "a.md:6:1 : broken [empty] [the link is empty]",
            "a.md:7:1 https://[::1: broken [malformed] [malformed URL: invalid IPv6 address]",
            "a.md:8:1 /x.md: broken [root] [begins at the root of the site, and --root DIR does not \
             say where that is]",
            "a.md:9:1 sub#x: broken [anchor] [sub: a folder without index.html or README.md, so \
             without anchors]",
            "b.html:2:11 c.html: broken [not_found] [c.html: no such file or folder]",
            "b.html:2:33 #here: broken [anchor] [no anchor #here there]",
            "b.html:2:58 a.md/x: broken [not_found] [a.md/x: no such file or folder]",
        ]
    );
    assert_eq!(report.code, Some(1));
}

#[test]
fn links_from_the_root_start_where_the_user_says() {
    let folder = Folder::with(&[
        (
            "site/docs/a.html",
            "<base href=/docs/><a href=/b.html#x></a><a href=a.html></a><a href=/c></a>",
        ),
        ("site/b.html", "<i id=x>"),
    ]);
    let report = check(&folder, &["--root", "site", "site/docs"]);
    assert_eq!(
        report.verdicts(),
        ["ok", "ok", "broken [not_found] [site/c: no such file or folder]"]
    );
}

#[test]
fn folders_are_searched_in_order_without_what_is_not_ours() {
    let folder = Folder::with(&[
        ("b/z.md", "[x](gone)"),
        ("b/A.markdown", "[x](gone)"),
        ("a.HTM", "<a href=gone>"),
        ("c.txt", "[x](gone)"),
        (".hidden/a.md", "[x](gone)"),
        ("node_modules/p/README.md", "[x](gone)"),
        ("x/target/doc.html", "<a href=gone>"),
    ]);
    folder.link("loop", ".");
    let report = check(&folder, &[".", "b/z.md"]);
    let sources: Vec<&str> =
        report.array("links").iter().filter_map(|link| link["source"].as_str()).collect();
    assert_eq!(sources, ["a.HTM", "b/A.markdown", "b/z.md"]);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_checked() {
    let folder =
        Folder::with(&[("docs/good.md", "[gone](gone.md) [loop](loop.md#x) [b](latin.md#x)")]);
    folder.write("docs/latin.md", b"# T\n\nna\xefve");
    folder.link("docs/loop.md", "loop.md");
    folder.link("docs/dangling.md", "nowhere.md");
    folder.write("notes.txt", b"");
    folder.write("empty/x.txt", b"");
    let report = check(&folder, &["docs", "missing.md", "notes.txt", "empty"]);
    assert_eq!(
        report.errors(),
        [
            "error: missing.md: no such file or folder",
            "error: notes.txt: neither Markdown (.md, .markdown) nor HTML (.html, .htm)",
            "error: empty: no .md, .markdown, .html or .htm file in this folder",
            "error: docs/dangling.md: a symbolic link that leads nowhere or in a circle",
            "error: docs/latin.md:3:3: not valid UTF-8 (byte 7)",
            "error: docs/loop.md: a symbolic link that leads nowhere or in a circle",
        ]
    );
    assert_eq!(
        report.links(),
        [
            "docs/good.md:1:1 gone.md: broken [not_found] [docs/gone.md: no such file or folder]",
            "docs/good.md:1:17 loop.md#x: broken [unreadable] [docs/loop.md: a symbolic link that \
             leads nowhere or in a circle]",
            "docs/good.md:1:35 latin.md#x: broken [unreadable] [docs/latin.md:3:3: not valid UTF-8 \
             (byte 7)]",
        ]
    );
    assert_eq!(report.array("errors")[4]["line"], 3);
    assert_eq!(report.array("errors")[4]["column"], 3);
    // Broken links too, but the check is not complete.
    assert_eq!(report.code, Some(2));
}

#[test]
fn hostile_documents_neither_crash_nor_hang() {
    let folder = Folder::new();
    folder.write("deep.md", "> ".repeat(20_000).as_bytes());
    folder.write("brackets.md", "[".repeat(50_000).as_bytes());
    folder.write("images.md", "![a](".repeat(20_000).as_bytes());
    folder.write("tags.html", "<div ".repeat(50_000).as_bytes());
    folder.write("nested.html", "<a href=#top>".repeat(20_000).as_bytes());
    folder.write("zero.html", b"<a href='\0'>\0<a href='x\0'>");
    folder.write("bom.md", "\u{feff}# Title\n[t](#title)".as_bytes());
    let report = check(&folder, &["."]);
    assert_eq!(report.stderr, "");
    assert_eq!(report.count("documents"), 7);
    assert!(report.count("ok") > 20_000, "{}", report.json["summary"]);
}

#[test]
fn links_can_be_excluded() {
    let folder = Folder::with(&[(
        "a.md",
        "[a](gone.md) [b](draft/x.md) [c](http://127.0.0.1:1/secret) [d][nope]\n",
    )]);
    let report = check(
        &folder,
        &["a.md", "--exclude", "draft/", "--exclude", "http://*/secret", "--exclude", "[nope]"],
    );
    assert_eq!(
        report.verdicts(),
        [
            "broken [not_found] [gone.md: no such file or folder]",
            "skipped [excluded]",
            "skipped [excluded]",
            "skipped [excluded]",
        ]
    );
}

#[test]
fn schemes_that_cannot_be_checked_are_counted() {
    let folder = Folder::with(&[(
        "a.md",
        "<me@x.example> [t](tel:+1) [d](data:,x) [j](javascript:0) [h](http://127.0.0.1:1/)\n",
    )]);
    let report = check(&folder, &["--offline", "a.md"]);
    assert_eq!(report.count("skipped"), 5);
    assert_eq!(report.array("links")[4]["kind"], "offline");
    assert_eq!(report.code, Some(0));
}
