//! The application behind Kippu's server, asked by Kippu's client.

use std::future::pending;

use kippu::http::server::Server;
use kippu::http::{Client, StatusCode};

/// Serves the application while `client` asks it at the URL that it is given.
fn served<F>(client: impl FnOnce(String) -> F + 'static)
where
    F: Future<Output = Result<(), kippu::http::Error>> + 'static,
{
    let result = kippu::block_on(async {
        let server = Server::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", server.local_addr().expect("bound"));
        let serving = kippu::task::spawn(server.serve_until(http_axum::app(), pending()));
        let result = client(url).await;
        serving.abort();
        result
    });
    result.expect("no deadlock").expect("every request is answered");
}

#[test]
fn routes_extractors_and_state_work() {
    served(async |url| {
        let client = Client::new();
        let greeting = client.get(&url).send().await?;
        assert_eq!(greeting.text().await?, "Hello from axum on Kippu!\n");
        for visitor in 1..=2 {
            let hello = client.get(&format!("{url}/hello/Ada")).send().await?;
            let expected = format!("Hello, Ada! You are visitor {visitor}.\n");
            assert_eq!(hello.text().await?, expected);
        }
        let nap = client.get(&format!("{url}/sleep?ms=5")).send().await?;
        assert_eq!(nap.text().await?, "slept 5 ms\n");
        let missing = client.get(&format!("{url}/missing")).send().await?;
        assert_eq!(missing.status(), StatusCode::NOT_FOUND);
        Ok(())
    });
}

#[test]
fn bodies_reach_the_extractors() {
    served(async |url| {
        let client = Client::new();
        let post = |body: &'static str| {
            let request = client.post(&format!("{url}/sum"));
            request.header("content-type", "application/json").body(body).send()
        };
        let sum = post(r#"{"terms": [1, 2, 3.5]}"#).await?;
        assert_eq!(sum.text().await?, r#"{"sum":6.5}"#);
        assert_eq!(post("{").await?.status(), StatusCode::BAD_REQUEST);
        Ok(())
    });
}
