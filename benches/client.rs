//! The smallest HTTPS client that can load a server: HTTP/1.1, keep-alive, one request at a time per connection.
//!
//! The appliance allows each network address 2,000 requests at once and then 500 a second. That limit is part of what is
//! measured, so it stays on; the client comes from another loopback address before it is used up.

use crate::Outcome;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Requests from one address: less than the appliance's burst.
const REQUESTS_PER_ADDRESS: u32 = 1_900;
/// The first loopback address that requests come from, 127.16.0.1.
const FIRST_ADDRESS: u32 = 0x7f10_0001;

/// Where the server is and whom to trust.
pub(crate) struct Endpoint {
    address: SocketAddr,
    tls: TlsConnector,
    addresses_used: AtomicU32,
}

impl Endpoint {
    pub(crate) fn new(address: SocketAddr, authority: &Path) -> Outcome<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(authority)? {
            roots.add(certificate?)?;
        }
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Self { address, tls: TlsConnector::from(Arc::new(config)), addresses_used: AtomicU32::new(0) })
    }

    /// A new connection from an address that was not used before.
    pub(crate) async fn connect(&self) -> Outcome<Connection> {
        let number = self.addresses_used.fetch_add(1, Ordering::Relaxed);
        let source = Ipv4Addr::from_bits(FIRST_ADDRESS.wrapping_add(number));
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(IpAddr::V4(source), 0))?;
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        let stream = self.tls.connect(ServerName::IpAddress(self.address.ip().into()), stream).await?;
        Ok(Connection { stream, buffer: Vec::with_capacity(64 * 1024), left: REQUESTS_PER_ADDRESS })
    }

    /// One request on a connection of its own.
    pub(crate) async fn once(&self, request: &[u8]) -> Outcome<Answer> {
        let mut connection = self.connect().await?;
        let (status, head_bytes) = connection.call(request).await?;
        let head = String::from_utf8_lossy(connection.buffer.get(..head_bytes).unwrap_or_default()).into_owned();
        let body = String::from_utf8_lossy(connection.buffer.get(head_bytes..).unwrap_or_default()).into_owned();
        Ok(Answer { status, head, body })
    }
}

/// An answer, whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The answer, if it is one of success.
    pub(crate) fn good(self) -> Outcome<Self> {
        if (200..300).contains(&self.status) {
            Ok(self)
        } else {
            Err(format!("status {}: {}", self.status, self.body).into())
        }
    }
}

/// A kept connection.
pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
    left: u32,
}

impl Connection {
    /// Whether its address may still send.
    pub(crate) fn usable(&self) -> bool {
        self.left > 0
    }
    /// The last answer as text.
    pub(crate) fn last(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }

    /// Sends one request and reads its answer; returns the status and the bytes of the head.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Outcome<(u16, usize)> {
        self.left = self.left.saturating_sub(1);
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        self.buffer.clear();
        let mut whole = None;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if whole.is_none() {
                whole = head_of(&self.buffer)?;
            }
            if let Some((status, head_bytes, body_bytes)) =
                whole.filter(|(_, head, body)| self.buffer.len() >= head + body)
            {
                self.buffer.truncate(head_bytes + body_bytes);
                return Ok((status, head_bytes));
            }
        }
    }
}

/// Status, bytes of the head, bytes of the body; nothing while the head is not whole.
fn head_of(bytes: &[u8]) -> Outcome<Option<(u16, usize, usize)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(bytes.get(..end).unwrap_or_default())?;
    let status: u16 = head.get(9..12).ok_or("the answer has no status")?.parse()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    match (length, status) {
        (Some(length), _) => Ok(Some((status, end + 4, length))),
        (None, 204 | 304) => Ok(Some((status, end + 4, 0))),
        (None, _) => Err("the answer has no Content-Length".into()),
    }
}
