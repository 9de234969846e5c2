//! Web pages: what servers do, and what the program makes of it.

use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

use crate::support::folder::Folder;
use crate::support::hosts::{Report, Scenario};
use crate::support::site::Site;
use crate::support::tls::Authority;

/// A document that links to these paths of a site, a line each.
fn linking_to(site: &Site, paths: &[&str]) -> Folder {
    let lines: String = paths.iter().map(|path| format!("<{}>\n", site.url(path))).collect();
    Folder::with(&[("a.md", &lines)])
}

/// Checks links to these paths, and gives the verdict of each.
fn verdicts(site: &Site, paths: &[&str], more: &[&str]) -> Vec<String> {
    check(site, paths, more).verdicts()
}

fn check(site: &Site, paths: &[&str], more: &[&str]) -> Report {
    let folder = linking_to(site, paths);
    let arguments: Vec<&str> = more.iter().copied().chain(["a.md"]).collect();
    Scenario::new(&folder, &[site]).json(&arguments, |_| ())
}

#[test]
fn a_good_page_needs_one_head_request() {
    let site = Site::start();
    let folder = linking_to(&site, &["/ok", "/ok", "/x/../ok", "/ok#"]);
    let report = Scenario::new(&folder, &[&site]).json(&["a.md"], |host| {
        assert_eq!(site.methods("/ok"), ["HEAD"], "{host:?}");
    });
    assert_eq!(report.verdicts(), ["ok"; 4]);
    assert_eq!(report.array("links")[0]["http_status"], 200);
    assert_eq!(report.code, Some(0));
}

#[test]
fn missing_pages_are_broken_after_a_get_confirms_it() {
    let site = Site::start();
    let folder = linking_to(&site, &["/missing", "/gone", "/teapot"]);
    let report = Scenario::new(&folder, &[&site]).json(&["a.md"], |host| {
        assert_eq!(site.methods("/missing"), ["HEAD", "GET"], "{host:?}");
    });
    assert_eq!(
        report.verdicts(),
        [
            "broken [status] [404 Not Found]",
            "broken [status] [410 Gone]",
            "broken [status] [418 I'm a teapot]",
        ]
    );
    assert_eq!(report.array("links")[0]["http_status"], 404);
    assert_eq!(report.code, Some(1));
}

#[test]
fn statuses_can_be_accepted() {
    let site = Site::start();
    let verdicts = verdicts(&site, &["/gone", "/ok"], &["--accept", "410,418"]);
    assert_eq!(verdicts, ["ok", "broken [status] [200 OK]"]);
}

#[test]
fn servers_that_dislike_head_are_asked_with_get() {
    let site = Site::start();
    let folder = linking_to(&site, &["/no-head", "/no-head-at-all"]);
    let report = Scenario::new(&folder, &[&site]).json(&["a.md"], |host| {
        assert_eq!(site.methods("/no-head"), ["HEAD", "GET"], "{host:?}");
        assert_eq!(site.methods("/no-head-at-all").last().map(String::as_str), Some("GET"));
    });
    assert_eq!(report.verdicts(), ["ok", "ok"]);
}

#[test]
fn a_server_error_that_passes_is_no_error() {
    let site = Site::start();
    let folder = linking_to(&site, &["/flaky", "/down"]);
    let arguments = ["--retry-wait", "0.01", "--retries", "3", "a.md"];
    let report = Scenario::new(&folder, &[&site]).json(&arguments, |host| {
        assert_eq!(site.methods("/flaky"), ["HEAD", "GET", "GET"], "{host:?}");
        assert_eq!(site.methods("/down"), ["HEAD", "GET", "GET", "GET", "GET"], "{host:?}");
    });
    assert_eq!(report.verdicts(), ["ok", "broken [status] [503 Service Unavailable]"]);
}

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    let site = Site::start();
    let folder = linking_to(&site, &["/busy", "/busy-for-long"]);
    let started = std::time::Instant::now();
    let report = Scenario::new(&folder, &[&site]).json(&["a.md"], |host| {
        assert_eq!(site.methods("/busy"), ["HEAD", "GET"], "{host:?}");
        assert_eq!(site.methods("/busy-for-long"), ["HEAD"], "{host:?}");
    });
    assert_eq!(
        report.verdicts(),
        [
            "ok",
            "broken [status] [429 Too Many Requests (asks to wait 3600 s, longer than --max-wait)]",
        ]
    );
    // A second on each host.
    assert!(started.elapsed().as_secs() >= 2, "{:?}", started.elapsed());
}

#[test]
fn a_redirect_in_raw_utf8_leads_to_the_same_page_on_every_host() {
    let site = Site::start();
    let report = check(&site, &["/moved-raw"], &[]);
    assert_eq!(report.verdicts(), ["ok"]);
    assert_eq!(report.array("links")[0]["redirected_to"], site.url("/%C3%A9"));
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let site = Site::start();
    let report = check(
        &site,
        &["/moved", "/chain/10", "/chain/11", "/loop", "/moved-to-missing", "/moved#intro"],
        &[],
    );
    assert_eq!(
        report.verdicts()[..3],
        [
            "ok".to_owned(),
            "ok".to_owned(),
            format!("broken [too_many_redirects] [too many redirects: {}]", site.url("/chain/1"))
        ]
    );
    assert!(report.verdicts()[3].starts_with("broken [too_many_redirects]"));
    assert_eq!(report.verdicts()[4..], ["broken [status] [404 Not Found]", "ok"]);
    let links = report.array("links");
    assert_eq!(links[0]["redirected_to"], site.url("/page.html"));
    assert_eq!(links[4]["redirected_to"], site.url("/missing"));

    let report = check(&site, &["/chain/2", "/chain/3"], &["--max-redirects", "2"]);
    assert_eq!(report.verdicts()[0], "ok");
    assert!(report.verdicts()[1].starts_with("broken [too_many_redirects]"));
    assert_eq!(
        verdicts(&site, &["/moved"], &["--max-redirects", "0"]),
        ["broken [status] [301 Moved Permanently]"]
    );
}

#[test]
fn slow_servers_are_given_up_after_the_time_limit() {
    let site = Site::start();
    // HEAD is answered at once; only the anchor needs the body, which never ends.
    let paths = ["/slow-body#x", "/silent", "/ok"];
    let verdicts = verdicts(&site, &paths, &["--timeout", "2.5"]);
    let slow = "broken [timeout] [no complete answer within 2.5s]";
    assert_eq!(verdicts, [slow, slow, "ok"]);
}

#[test]
fn broken_connections_are_told_apart() {
    let site = Site::start();
    // Bound but not listening: nobody else can take the port, and nobody answers there.
    let closed = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    closed.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let port = closed.local_addr().unwrap().as_socket().unwrap().port();
    let folder = Folder::with(&[(
        "a.md",
        &format!(
            "<{}>\n<{}>\n<http://127.0.0.1:{port}/>\n<http://no-such-host.invalid/>\n",
            site.url("/reset"),
            site.url("/nonsense"),
        ),
    )]);
    let report = Scenario::new(&folder, &[&site]).json(&["a.md"], |_| ());
    assert_eq!(
        report.verdicts(),
        [
            "broken [closed] [the connection was closed before the response was complete]",
            "broken [protocol] [the server's answer is not valid HTTP]",
            "broken [connect] [connection refused or unreachable]",
            "broken [dns] [the server's name could not be resolved]",
        ]
    );
}

#[test]
fn certificates_are_checked() {
    let folder = Folder::new();
    let file = folder.path("authority.pem");
    let authority = Authority::new(&file);
    let good = authority.site_for("127.0.0.1");
    let wrong = authority.site_for("wrong.example");
    let stranger = Authority::new(&folder.path("stranger.pem")).site_for("127.0.0.1");
    let https = |site: &Site| format!("https://127.0.0.1:{}/page.html", site.port());
    let text = format!(
        "<{0}>\n<{0}#intro>\n<{1}>\n<{2}>\n",
        https(&good),
        https(&wrong),
        https(&stranger)
    );
    folder.write("a.md", text.as_bytes());
    let report =
        Scenario::new(&folder, &[&good, &wrong, &stranger]).trusting(file).json(&["a.md"], |_| ());
    let insecure = "broken [tls] [no secure connection could be made]";
    assert_eq!(report.verdicts(), ["ok", "ok", insecure, insecure]);
}

#[test]
fn anchors_of_pages_are_looked_for_where_there_can_be_some() {
    let site = Site::start();
    let folder = linking_to(
        &site,
        &[
            "/page.html#intro",
            "/page.html#old",
            "/page.html#readme",
            "/page.html#nope",
            "/page.html",
            "/picture.png#x",
            "/page.html#L10",
            "/latin1.html#café",
            "/readme.md#title",
            "/moved#nope",
        ],
    );
    let report = Scenario::new(&folder, &[&site]).json(&["a.md"], |host| {
        assert_eq!(site.methods("/page.html"), ["GET", "GET"], "{host:?}: one is the redirect's");
    });
    let missing = "broken [anchor] [no anchor #nope there]";
    assert_eq!(
        report.verdicts(),
        ["ok", "ok", "ok", missing, "ok", "ok", "ok", "ok", "ok", missing]
    );
}

#[test]
fn pages_are_inputs_too() {
    let site = Site::start();
    let folder = Folder::with(&[("a.md", &format!("<{}>", site.url("/index.html")))]);
    let inputs = ["/index.html", "/readme.md", "/latin1.html"].map(|path| site.url(path));
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).chain(["a.md"]).collect();
    let report = Scenario::new(&folder, &[&site]).json(&inputs, |host| {
        // As an input, and not again as what a.md links to.
        assert_eq!(site.methods("/index.html"), ["GET"], "{host:?}");
    });
    let at = |path: &str, rest: &str| format!("{}:{rest}", site.url(path));
    assert_eq!(
        report.links(),
        [
            at("/index.html", "2:9 /ok: ok"),
            at("/index.html", "3:10 page.html#intro: ok"),
            at("/index.html", "4:9 page.html#nope: broken [anchor] [no anchor #nope there]"),
            at("/index.html", "4:42 /missing: broken [status] [404 Not Found]"),
            at("/index.html", "5:9 #: ok"),
            at("/readme.md", "2:1 #title: ok"),
            at("/readme.md", "2:15 #no: broken [anchor] [no anchor #no there]"),
            at("/latin1.html", "1:20 /ok: ok"),
            format!("a.md:1:1 {}: ok", site.url("/index.html")),
        ]
    );
}

#[test]
fn inputs_that_are_no_documents_are_errors() {
    let site = Site::start();
    let folder = Folder::new();
    let paths = ["/missing", "/picture.png", "/not-utf8.html", "/page.html"];
    let inputs = paths.map(|path| site.url(path));
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).chain(["http://[x/"]).collect();
    let report = Scenario::new(&folder, &[&site]).json(&inputs, |_| ());
    assert_eq!(
        report.errors(),
        [
            "error: http://[x/: malformed URL: invalid IPv6 address".to_owned(),
            format!("error: {}: 404 Not Found", site.url("/missing")),
            format!(
                "error: {}: the content type \"image/png\" is neither HTML nor Markdown",
                site.url("/picture.png")
            ),
            format!("error: {}:2:7: not valid UTF-8 (byte 10)", site.url("/not-utf8.html")),
        ]
    );
    assert_eq!(report.count("ok"), 1);
    assert_eq!(report.code, Some(2));
}

#[test]
fn the_user_agent_is_what_the_user_says() {
    let site = Site::start();
    assert_eq!(verdicts(&site, &["/agent"], &["--user-agent", "my-agent/1.0"]), ["ok"]);
    assert_eq!(verdicts(&site, &["/agent"], &[]), ["broken [status] [403 Forbidden]"]);
}
