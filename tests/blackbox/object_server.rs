//! A store that speaks S3, for tests: a real implementation of the protocol that checks signatures and keeps its objects in
//! files, behind TLS by an authority of its own, on a free port of this machine. It can be told to be busy or away.

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;

pub(crate) const BUCKET: &str = "sets";
pub(crate) const KEY: &str = "KONTORTESTKEY";
pub(crate) const SECRET: &str = "a secret that must never be seen";

/// A running store; it ends with this.
pub(crate) struct ObjectServer {
    pub(crate) address: SocketAddr,
    /// Where its objects lie.
    pub(crate) objects: PathBuf,
    /// The authority that signed its certificate.
    pub(crate) ca: PathBuf,
    /// How many of the next requests are answered with 503.
    pub(crate) busy: Arc<AtomicU32>,
    /// Whether it closes every connection at once.
    pub(crate) away: Arc<AtomicBool>,
    _runtime: tokio::runtime::Runtime,
}

fn certificates(folder: &Path) -> (PathBuf, rustls::ServerConfig) {
    let mut of_ca = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    of_ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    of_ca.distinguished_name.push(rcgen::DnType::CommonName, "a test store's authority");
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let ca = of_ca.self_signed(&ca_key).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let of_store = rcgen::CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let store = of_store.signed_by(&key, &rcgen::Issuer::from_params(&of_ca, &ca_key)).unwrap();
    let path = folder.join("ca.pem");
    fs::write(&path, ca.pem()).unwrap();
    let chain = vec![store.der().clone()];
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    (path, config.with_no_client_auth().with_single_cert(chain, private).unwrap())
}

impl ObjectServer {
    /// Starts a store with one empty bucket; its files go into `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        let objects = folder.join("objects");
        fs::create_dir_all(objects.join(BUCKET)).unwrap();
        let (ca, tls) = certificates(folder);
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(&objects).unwrap());
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = builder.build();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (busy, away) = (Arc::<AtomicU32>::default(), Arc::<AtomicBool>::default());
        let (faults, gone, acceptor) = (Arc::clone(&busy), Arc::clone(&away), TlsAcceptor::from(Arc::new(tls)));
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                if gone.load(Ordering::Relaxed) {
                    continue;
                }
                let front = Front { service: service.clone(), busy: Arc::clone(&faults), away: Arc::clone(&gone) };
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(socket).await {
                        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), front).await;
                    }
                });
            }
        });
        Self { address, objects, ca, busy, away, _runtime: runtime }
    }
}

/// The store with its faults.
struct Front {
    service: S3Service,
    busy: Arc<AtomicU32>,
    away: Arc<AtomicBool>,
}

impl Service<Request<Incoming>> for Front {
    type Response = Response<s3s::Body>;
    type Error = s3s::HttpError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let busy = self.busy.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        if busy || self.away.load(Ordering::Relaxed) {
            let answer =
                Response::builder().status(503).header("connection", "close").body(s3s::Body::empty()).unwrap();
            return Box::pin(std::future::ready(Ok(answer)));
        }
        Service::call(&self.service, request)
    }
}
