//! HTTPS natively, against a server with a certificate made here. One test, since what
//! is trusted is read from the environment once per process.
#![cfg(not(target_family = "wasm"))]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use kippu::http::{Client, ErrorKind};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Something that signs certificates, and its own in PEM.
fn authority() -> (Issuer<'static, KeyPair>, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("valid");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).expect("signed");
    let pem = certificate.pem();
    (Issuer::new(params, key), pem)
}

/// A server that answers every request, with a certificate for `name` by `issuer`.
fn server(issuer: &Issuer<'_, KeyPair>, name: &str) -> u16 {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("valid");
    let certificate = params.signed_by(&key, issuer).expect("signed");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("a certificate");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a session");
            let mut stream = StreamOwned::new(connection, stream.expect("a connection"));
            let mut request = [0; 4096];
            // A client that does not trust us goes away here.
            while stream.read(&mut request).is_ok_and(|count| count > 0) {
                let body = "x".repeat(100_000);
                write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
                    .expect("written");
            }
        }
    });
    port
}

#[test]
fn https_works_with_what_is_trusted_and_only_with_that() {
    let (trusted, pem) = authority();
    let (stranger, _) = authority();
    let mut file = tempfile::NamedTempFile::new().expect("a place to write");
    file.write_all(pem.as_bytes()).expect("written");
    // SAFETY: no other thread of this process reads or writes the environment: this is its only
    // test, and nothing was started yet.
    unsafe { std::env::set_var("SSL_CERT_FILE", file.path()) };

    let good = server(&trusted, "localhost");
    let other_name = server(&trusted, "elsewhere.example.org");
    let not_trusted = server(&stranger, "localhost");
    let plain = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let no_tls = plain.local_addr().expect("bound").port();
    thread::spawn(move || {
        for stream in plain.incoming() {
            let mut stream = stream.expect("a connection");
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let hangs_up = silent.local_addr().expect("bound").port();
    thread::spawn(move || silent.incoming().for_each(drop));

    kippu::block_on(async {
        let client = Client::new();
        for _ in 0..3 {
            let url = format!("https://localhost:{good}/");
            let response = client.get(&url).send().await.expect("a response");
            assert_eq!(response.bytes().await.expect("a body").len(), 100_000);
        }
        let cases = [
            (other_name, ErrorKind::Tls),
            (not_trusted, ErrorKind::Tls),
            (no_tls, ErrorKind::Tls),
            (hangs_up, ErrorKind::Closed),
        ];
        for (port, kind) in cases {
            let url = format!("https://localhost:{port}/");
            let error = client.get(&url).send().await.expect_err("no response");
            assert_eq!(error.kind(), kind, "{error:?}");
        }
    })
    .expect("the program can end");
}
