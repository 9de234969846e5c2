//! The pages of the fixture site.

use std::time::Duration;

use super::site::{Action, Answer, Request};

/// A page with anchors and a link.
const PAGE: &str = "<!doctype html><title>Page</title><h1 id=intro>Intro</h1><a name=old>Old</a>\n\
                    <p id=user-content-readme><a href=/ok>fine</a>";

/// What the site does about a request.
pub(crate) fn action(request: &Request) -> Action {
    let path = request.path.split('?').next().unwrap_or_default();
    let is_head = request.method == "HEAD";
    if let Some(number) = path.strip_prefix("/chain/") {
        return match number.parse::<u32>() {
            Ok(0) => html(PAGE),
            Ok(number) => redirect(302, &format!("/chain/{}", number - 1)),
            Err(_) => status(404),
        };
    }
    if path.starts_with("/many/") {
        return Action::Delay(Duration::from_millis(4), answer(200, "text/plain", "many"));
    }
    if path.starts_with("/late/") {
        return Action::Delay(Duration::from_millis(200), answer(200, "text/plain", "late"));
    }
    match path {
        "/ok" => Action::Answer(answer(200, "text/plain; charset=utf-8", "fine")),
        "/page.html" => html(PAGE),
        "/index.html" => html(
            "<title>Index</title>\n<a href=/ok>fine</a>\n<a href='page.html#intro'>intro</a>\n\
             <a href=page.html#nope>nope</a> <img src=/missing alt>\n<a href=#>top</a>",
        ),
        "/latin1.html" => Action::Answer(Answer {
            body: b"<p id=caf\xe9><a href=/ok>caf\xe9</a>".to_vec(),
            ..answer(200, "text/html; charset=iso-8859-1", "")
        }),
        "/not-utf8.html" => Action::Answer(Answer {
            body: b"<p>\n<p>caf\xe9".to_vec(),
            ..answer(200, "text/html", "")
        }),
        "/readme.md" => {
            Action::Answer(answer(200, "text/plain", "# Title\n[top](#title) [no](#no)\n"))
        }
        "/picture.png" => Action::Answer(answer(200, "image/png", "PNG")),
        "/gone" => status(410),
        "/teapot" => status(418),
        // Fails on HEAD and on the first GET.
        "/flaky" if request.earlier < 2 => status(500),
        "/flaky" => html(PAGE),
        "/down" => status(503),
        "/no-head" if is_head => status(405),
        "/no-head" => html(PAGE),
        "/no-head-at-all" if is_head => Action::Reset,
        "/no-head-at-all" => html(PAGE),
        "/busy" if request.earlier == 0 => busy("1"),
        "/busy" => html(PAGE),
        "/busy-for-long" => busy("3600"),
        "/moved" => redirect(301, "/page.html"),
        "/moved-to-missing" => redirect(302, "/missing"),
        // Raw UTF-8 in a header, as careless servers send it.
        "/moved-raw" => redirect(302, "/é"),
        "/%C3%A9" => html(PAGE),
        "/loop" => redirect(302, "/pool"),
        "/pool" => redirect(302, "/loop"),
        "/slow-body" => match is_head {
            true => html(PAGE),
            false => Action::Stall,
        },
        "/silent" => Action::Silence,
        "/reset" => Action::Reset,
        "/nonsense" => Action::Nonsense,
        "/agent" if request.user_agent == "my-agent/1.0" => html(PAGE),
        "/agent" => status(403),
        _ => status(404),
    }
}

fn answer(status: u16, content_type: &str, body: &str) -> Answer {
    let headers = vec![("content-type", content_type.to_owned())];
    Answer { status, headers, body: body.as_bytes().to_vec() }
}

fn html(body: &str) -> Action {
    Action::Answer(answer(200, "text/html", body))
}

fn status(status: u16) -> Action {
    Action::Answer(answer(status, "text/html", "<p id=error>no"))
}

fn redirect(status: u16, to: &str) -> Action {
    let mut answer = answer(status, "text/html", "elsewhere");
    answer.headers.push(("location", to.to_owned()));
    Action::Answer(answer)
}

fn busy(retry_after: &str) -> Action {
    let mut answer = answer(429, "text/html", "busy");
    answer.headers.push(("retry-after", retry_after.to_owned()));
    Action::Answer(answer)
}
