//! The server engine: a pure-Rust client with TLS by rustls, wrapped so that Diesel can treat it as a blocking connection.
//! The wrapper is a newtype because the derive that joins both engines needs traits the original does not have.

use super::Access;
use super::later::Later;
use crate::StoreError;
use diesel::connection::{
    CacheSize, Connection, ConnectionSealed, Instrumentation, LoadConnection, MultiConnectionHelper, SimpleConnection,
    TransactionManager, TransactionManagerStatus,
};
use diesel::pg::{Pg, PgMetadataLookup, PgTypeMetadata};
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::r2d2::R2D2Connection as _;
use diesel::result::{ConnectionResult, QueryResult};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::{AsyncConnectionWrapper, BlockOn};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

type Inner = AsyncConnectionWrapper<AsyncPgConnection, OwnRuntime>;
type InnerManager = <Inner as Connection>::TransactionManager;

/// How long a server may take to accept a connection, unless the address says otherwise.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// After how long without a sign of life a connection counts as lost, unless the address says otherwise.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Turns that a driver gets to notice the end of its connection: one for the operating system's news, the next to read them.
const LOOKS: usize = 4;

/// A blocking connection to PostgreSQL.
pub(crate) struct PgConn {
    inner: Inner,
    /// Rows of a unit of work that wait.
    pub(super) later: Later,
    /// Runs the driver of a TLS connection; dropped after it.
    driver: Driver,
}

/// The runtime that the driver of a connection lives on, if it is one of ours.
struct Driver(Option<Arc<Runtime>>);

impl Driver {
    /// Lets the driver do what it can do now, without waiting.
    fn look(&self) {
        if let Some(runtime) = &self.0 {
            runtime.block_on(async {
                for _ in 0..LOOKS {
                    tokio::task::yield_now().await;
                }
            });
        }
    }
}

impl Drop for Driver {
    /// The connection is gone; the server is told good-bye.
    fn drop(&mut self) {
        self.look();
    }
}

thread_local! {
    /// The runtime on which the connection was made that is being wrapped.
    static MADE_ON: RefCell<Option<Arc<Runtime>>> = const { RefCell::new(None) };
}

/// What the wrapper waits on: the thread that asks also drives the connection. A second thread for that would have to be woken
/// for each question and again for each answer.
pub(crate) struct OwnRuntime(Result<Arc<Runtime>, std::io::Error>);

fn new_runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

impl BlockOn for OwnRuntime {
    #[expect(clippy::panic, reason = "the trait has no error; a machine without a file descriptor left serves nobody")]
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        match &self.0 {
            Ok(runtime) => runtime.block_on(future),
            Err(error) => panic!("cannot start the PostgreSQL client: {error}"),
        }
    }
    fn get_runtime() -> Self {
        let made_on = MADE_ON.take();
        Self(made_on.map_or_else(|| new_runtime().map(Arc::new), Ok))
    }
}

/// Opens a connection; TLS is required unless the server is this machine.
pub(super) fn open(url: &str, ca_file: Option<&Path>, access: Access) -> Result<PgConn, StoreError> {
    let config: tokio_postgres::Config = url.parse().map_err(|_| {
        StoreError::config("the PostgreSQL address cannot be read; expected postgres://user@host:port/database")
    })?;
    let mut conn = match ca_file {
        Some(ca_file) => over_tls(config, tls_config(ca_file)?)?,
        None => {
            require_local(&config)?;
            PgConn::establish(url)?
        }
    };
    match access {
        // What was committed must be on disk before anybody is answered, however the server is set up.
        Access::Write | Access::Fill => conn.batch_execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
        )
        // Each search looks through the tokens that are not sorted in yet: a few hundred rows of them, not ten thousand.
        .and_then(|()| conn.batch_execute("SET gin_pending_list_limit = '256kB'"))?,
        Access::Read => {}
        Access::Look => conn.batch_execute("SET default_transaction_read_only = on")?,
    }
    Ok(conn)
}

fn over_tls(mut config: tokio_postgres::Config, tls: rustls::ClientConfig) -> Result<PgConn, StoreError> {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_WAIT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE_MAX).keepalives_idle(SILENCE_MAX);
    }
    let runtime =
        new_runtime().map_err(|error| StoreError::config(format!("cannot start the PostgreSQL client: {error}")))?;
    let connection = runtime.block_on(async move {
        let (client, driver) = config
            .connect(tokio_postgres_rustls::MakeRustlsConnect::new(tls))
            .await
            .map_err(|error| diesel::ConnectionError::BadConnection(error.to_string()))?;
        AsyncPgConnection::try_from_client_and_connection(client, driver).await
    })?;
    let runtime = Arc::new(runtime);
    MADE_ON.set(Some(Arc::clone(&runtime)));
    Ok(PgConn { inner: Inner::from(connection), later: Later::default(), driver: Driver(Some(runtime)) })
}

impl PgConn {
    /// Whether the driver has seen the end of the connection. It looks now: nobody has driven it since the last answer.
    pub(super) fn is_lost(&mut self) -> bool {
        self.driver.look();
        self.inner.is_broken()
    }
    /// Whether an error means that the server is gone. A server that stops says so with an ordinary error first, and the
    /// end of the connection follows; one more question waits for it.
    pub(super) fn lost_by(&mut self, error: &diesel::result::Error) -> bool {
        use diesel::result::{DatabaseErrorKind as Kind, Error::DatabaseError};
        let maybe =
            matches!(error, DatabaseError(Kind::Unknown | Kind::UnableToSendCommand | Kind::ClosedConnection, _));
        maybe && (self.is_lost() || (self.inner.batch_execute("SELECT 1").is_err() && self.is_lost()))
    }
}

fn require_local(config: &tokio_postgres::Config) -> Result<(), StoreError> {
    let local = config.get_hosts().iter().all(|host| match host {
        tokio_postgres::config::Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
        tokio_postgres::config::Host::Unix(_) => true,
    });
    if local {
        Ok(())
    } else {
        Err(StoreError::config(
            "PostgreSQL on another machine needs TLS: set database.ca_file to the PEM file of its authority",
        ))
    }
}

fn tls_config(ca_file: &Path) -> Result<rustls::ClientConfig, StoreError> {
    let bad = |error: String| {
        StoreError::config(format!("{} is not usable as a certificate authority: {error}", ca_file.display()))
    };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca_file).map_err(|error| bad(error.to_string()))? {
        roots.add(certificate.map_err(|error| bad(error.to_string()))?).map_err(|error| bad(error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Hands every call to the wrapped connection's own transaction manager.
pub(crate) struct Manager;

impl TransactionManager<PgConn> for Manager {
    type TransactionStateData = <InnerManager as TransactionManager<Inner>>::TransactionStateData;
    fn begin_transaction(conn: &mut PgConn) -> QueryResult<()> {
        InnerManager::begin_transaction(&mut conn.inner)
    }
    fn rollback_transaction(conn: &mut PgConn) -> QueryResult<()> {
        InnerManager::rollback_transaction(&mut conn.inner)
    }
    fn commit_transaction(conn: &mut PgConn) -> QueryResult<()> {
        InnerManager::commit_transaction(&mut conn.inner)
    }
    fn transaction_manager_status_mut(conn: &mut PgConn) -> &mut TransactionManagerStatus {
        InnerManager::transaction_manager_status_mut(&mut conn.inner)
    }
    fn is_broken_transaction_manager(conn: &mut PgConn) -> bool {
        InnerManager::is_broken_transaction_manager(&mut conn.inner)
    }
}

impl SimpleConnection for PgConn {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.inner.batch_execute(query)
    }
}
impl ConnectionSealed for PgConn {}
impl Connection for PgConn {
    type Backend = Pg;
    type TransactionManager = Manager;
    fn establish(url: &str) -> ConnectionResult<Self> {
        Inner::establish(url).map(|inner| Self { inner, later: Later::default(), driver: Driver(None) })
    }
    fn execute_returning_count<T: QueryFragment<Pg> + QueryId>(&mut self, source: &T) -> QueryResult<usize> {
        self.inner.execute_returning_count(source)
    }
    fn transaction_state(&mut self) -> &mut <Manager as TransactionManager<Self>>::TransactionStateData {
        self.inner.transaction_state()
    }
    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        self.inner.instrumentation()
    }
    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.inner.set_instrumentation(instrumentation);
    }
    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.inner.set_prepared_statement_cache_size(size);
    }
}
impl LoadConnection for PgConn {
    type Cursor<'conn, 'query> = <Inner as LoadConnection>::Cursor<'conn, 'query>;
    type Row<'conn, 'query> = <Inner as LoadConnection>::Row<'conn, 'query>;
    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: diesel::expression::QueryMetadata<T::SqlType>,
    {
        self.inner.load(source)
    }
}

/// Stands in for the lookup of custom types, which this store has none of.
struct NoCustomTypes;
impl PgMetadataLookup for NoCustomTypes {
    fn lookup_type(&mut self, _name: &str, _schema: Option<&str>) -> PgTypeMetadata {
        PgTypeMetadata::new(0, 0)
    }
    fn as_any<'a>(&mut self) -> &mut (dyn std::any::Any + 'a)
    where
        Self: 'a,
    {
        self
    }
}
impl MultiConnectionHelper for PgConn {
    fn to_any<'a>(
        _lookup: &mut <Pg as diesel::sql_types::TypeMetadata>::MetadataLookup,
    ) -> &mut (dyn std::any::Any + 'a) {
        // A zero-sized value: leaking it costs nothing.
        Box::leak(Box::new(NoCustomTypes))
    }
    fn from_any(
        lookup: &mut dyn std::any::Any,
    ) -> Option<&mut <Pg as diesel::sql_types::TypeMetadata>::MetadataLookup> {
        lookup.downcast_mut::<NoCustomTypes>().map(|lookup| lookup as &mut dyn PgMetadataLookup)
    }
}
impl diesel::r2d2::R2D2Connection for PgConn {
    fn ping(&mut self) -> QueryResult<()> {
        self.inner.ping()
    }
    fn is_broken(&mut self) -> bool {
        self.inner.is_broken()
    }
}
impl diesel::migration::MigrationConnection for PgConn {
    fn setup(&mut self) -> QueryResult<usize> {
        self.inner.setup()
    }
}
