//! Tests of the certificate authorities of `HttpTransport`: an unknown authority is rejected, an
//! added authority is trusted.
#![cfg(feature = "reqwest")]

use std::{error::Error, sync::Arc, time::Duration};

use bytes::Bytes;
use lifecycle_client::{HttpTransport, HttpTransportBuilder, Transport, TransportError};
use lifecycle_core::{ExecutionStatus, FaultKind};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

/// Starts a server with a certificate of a new authority. Returns the URL, and the authority in PEM.
async fn start_server() -> (String, String) {
    let mut authority = CertificateParams::new(vec![]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client without trust in the authority closes the connection.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            let response = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(response).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (url, authority.pem())
}

async fn get(builder: HttpTransportBuilder, url: &str) -> Result<u16, TransportError> {
    let request = http::Request::get(url).body(Bytes::new()).unwrap();
    let response = builder.build().unwrap().send(request).await?;
    Ok(response.status().as_u16())
}

#[tokio::test]
async fn authority_is_trusted_only_if_added() {
    let (url, authority) = start_server().await;
    let refused = get(HttpTransport::builder(), &url).await.unwrap_err();
    assert_eq!(
        refused.execution_status(),
        ExecutionStatus::NotExecuted,
        "nothing was sent: {refused}"
    );
    let mut text = refused.to_string();
    let mut cause = refused.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    assert!(text.contains("certificate"), "{text}");
    assert_eq!(refused.to_fault().kind(), FaultKind::Certificate);
    let trusting = HttpTransport::builder()
        .add_certificates(authority.as_bytes())
        .unwrap();
    assert_eq!(get(trusting.clone(), &url).await.unwrap(), 204);
    let hasty = trusting.connect_timeout(Duration::from_secs(5));
    assert_eq!(
        get(hasty, &url).await.unwrap(),
        204,
        "another setting keeps the authority"
    );
}

#[test]
fn invalid_certificate_is_refused() {
    for pem in [&b""[..], b"nothing", b"-----BEGIN CERTIFICATE-----\nxx\n"] {
        assert!(HttpTransport::builder().add_certificates(pem).is_err());
    }
}

#[tokio::test]
async fn proxy_with_an_untrusted_certificate_is_named() {
    const INSIDE: &str = "LIFECYCLE_TEST_PROXY";
    if std::env::var_os(INSIDE).is_none() {
        let (proxy, _) = start_server().await;
        let name = "proxy_with_an_untrusted_certificate_is_named";
        let mut test = tokio::process::Command::new(std::env::current_exe().unwrap());
        test.args(["--exact", name]).env(INSIDE, "1");
        test.env("https_proxy", &proxy).env("http_proxy", &proxy);
        test.env_remove("no_proxy").env_remove("NO_PROXY");
        let output = test.output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}");
        assert!(text.contains("1 passed"), "{text}");
        return;
    }
    for url in ["https://cloud.invalid/", "http://cloud.invalid/"] {
        let error = get(HttpTransport::builder(), url).await.unwrap_err();
        let expected = "the certificate of the proxy 127.0.0.1 is not trusted";
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.to_fault().kind(), FaultKind::Certificate);
    }
}
