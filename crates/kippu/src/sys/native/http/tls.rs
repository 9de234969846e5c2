//! TLS settings: the certificates that the system trusts.

use std::io;
use std::sync::{Arc, OnceLock};

use futures_rustls::TlsConnector;
use rustls::{ClientConfig, RootCertStore};

use crate::driver::native::blocking::blocking;

/// What connects with the system's trusted certificates, or those of the file that
/// the environment variable `SSL_CERT_FILE` names. They are loaded once, when first
/// needed, on the blocking pool. A failure is not kept: the next call tries again.
///
/// # Errors
/// When there is not one usable certificate.
pub(super) async fn connector() -> io::Result<TlsConnector> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let config = match CONFIG.get() {
        Some(config) => config,
        None => {
            let loaded = blocking(load).await??;
            CONFIG.get_or_init(|| Arc::new(loaded))
        }
    };
    Ok(TlsConnector::from(Arc::clone(config)))
}

fn load() -> io::Result<ClientConfig> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems do ship certificates that cannot be parsed; the others still count.
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!(
                "no trusted certificates were found on this system ({}); install them \
                 (on Debian the package ca-certificates) or name a file in SSL_CERT_FILE",
                reasons.join("; ")
            ),
        ));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
