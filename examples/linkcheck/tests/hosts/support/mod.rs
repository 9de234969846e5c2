//! A site to check, a folder of documents, and the program on its hosts.

pub(crate) mod folder;
pub(crate) mod hosts;
pub(crate) mod routes;
pub(crate) mod site;
pub(crate) mod tls;
