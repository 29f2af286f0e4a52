//! TLS for tokio-postgres with the rustls provider of the workspace.

use std::{future::Future, io, path::Path, pin::Pin, sync::Arc, task};

use lifecycle_client::file;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

use crate::address::TlsRule;

/// Makes the TLS connections of a database.
#[derive(Clone)]
pub(crate) struct MakeTls {
    config: Option<Arc<ClientConfig>>,
}

impl MakeTls {
    /// Reads the certificates of the authorities.
    pub(crate) fn new(rule: &TlsRule) -> Result<Self, String> {
        let config = match rule {
            TlsRule::Off => None,
            TlsRule::Verified { roots } => {
                let unusable = |error| format!("TLS is not usable: {error}");
                // Named, because a program can have several providers, and none of them is the default then.
                let provider =
                    Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
                let builder = ClientConfig::builder_with_provider(provider)
                    .with_safe_default_protocol_versions()
                    .map_err(unusable)?;
                let builder = match roots {
                    Some(file) => builder.with_root_certificates(read_roots(file)?),
                    None => builder.with_platform_verifier().map_err(unusable)?,
                };
                Some(builder.with_no_client_auth())
            }
        };
        Ok(Self {
            config: config.map(Arc::new),
        })
    }
}

fn read_roots(path: &Path) -> Result<RootCertStore, String> {
    let problem = |what: &dyn std::fmt::Display| {
        format!(
            "sslrootcert {}: {what}; write the file with the certificate of the authority (PEM)",
            path.display()
        )
    };
    let text = file::read_bytes(path, file::MAX_CERTIFICATES)
        .map_err(|error| problem(&format_args!("cannot be read: {error}")))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| problem(&error))?;
        roots.add(certificate).map_err(|error| problem(&error))?;
    }
    match roots.is_empty() {
        true => Err(problem(&"no certificate")),
        false => Ok(roots),
    }
}

impl<S> MakeTlsConnect<S> for MakeTls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Stream<S>;
    type TlsConnect = Tls;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Tls> {
        Ok(Tls {
            config: self.config.clone(),
            host: host.to_owned(),
        })
    }
}

/// The TLS of one connection.
pub(crate) struct Tls {
    config: Option<Arc<ClientConfig>>,
    host: String,
}

impl<S> TlsConnect<S> for Tls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Stream<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let Some(config) = self.config else {
                return Err(io::Error::other("sslmode is disable"));
            };
            let name = ServerName::try_from(self.host).map_err(io::Error::other)?;
            let stream = TlsConnector::from(config).connect(name, stream).await?;
            Ok(Stream(stream))
        })
    }
}

/// An encrypted connection. The password exchange is not bound to the certificate, because the
/// certificate itself is verified.
pub(crate) struct Stream<S>(TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> tokio_postgres::tls::TlsStream for Stream<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> task::Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
        bytes: &[u8],
    ) -> task::Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> task::Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> task::Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> String {
        let key = rcgen::generate_simple_self_signed(vec!["ca.example".to_owned()]);
        key.unwrap().cert.pem()
    }

    #[test]
    fn certificate_after_a_byte_order_mark_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let (first, second) = (authority(), authority());
        for mark in ["", "\u{feff}"] {
            std::fs::write(&path, format!("{mark}{first}{second}")).unwrap();
            assert_eq!(read_roots(&path).unwrap().len(), 2);
        }
        std::fs::write(&path, "no certificate").unwrap();
        let error = read_roots(&path).unwrap_err();
        assert!(error.contains("ca.pem: no certificate;"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn only_a_regular_file_of_bounded_length_is_read() {
        for (path, expected) in [
            ("/dev/zero", "not a regular file"),
            ("/nonexistent", "cannot be read"),
        ] {
            let error = read_roots(Path::new(path)).unwrap_err();
            assert!(error.contains(path) && error.contains(expected), "{error}");
        }
    }
}
