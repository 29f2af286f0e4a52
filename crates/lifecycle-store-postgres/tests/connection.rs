//! Connections, migrations and failures against a real server.
#![cfg(feature = "test-cluster")]

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::channel,
    },
    time::Duration,
};

use lifecycle_controller::StoreError;
use lifecycle_store_postgres::{
    ConnectionText, Database, Limits, PostgresRateLimit, PostgresStore, cluster::Cluster,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
    time::{Instant, timeout},
};

async fn database(text: &str) -> Database {
    database_with(text, Limits::default()).await
}

async fn database_with(text: &str, limits: Limits) -> Database {
    Database::open(text.parse().unwrap(), limits).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_programs_that_start_at_once_migrate_once() {
    let Some(cluster) = Cluster::shared("migrations") else {
        return;
    };
    let text = cluster.database("migrations");
    let programs: Vec<_> = (0..8)
        .map(|_| {
            let text = text.clone();
            tokio::spawn(async move {
                let database = database(&text).await;
                database.migrate().await.unwrap().len()
            })
        })
        .collect();
    let mut ran = Vec::new();
    for program in programs {
        ran.push(program.await.unwrap());
    }
    let version = database(&text).await.schema_version().await.unwrap();
    assert_eq!(version.found, version.needed);
    ran.sort_unstable();
    assert_eq!(ran.iter().sum::<usize>(), *ran.last().unwrap(), "{ran:?}");
}

/// The database of an earlier program has events, and the migration waits longer than a query may take.
#[tokio::test(flavor = "multi_thread")]
async fn migration_takes_longer_than_a_query() {
    let Some(cluster) = Cluster::shared("slow-migration") else {
        return;
    };
    let text = cluster.database("slow-migration");
    database(&text).await.migrate().await.unwrap();
    cluster.psql(
        "slow-migration",
        "drop index lifecycle.event_machine; drop index lifecycle.intent_machine; \
         drop function lifecycle.machine; \
         create index event_subject on lifecycle.event (subject); \
         create index intent_instance on lifecycle.intent (instance); \
         delete from lifecycle.schema_version where version = 3; \
         insert into lifecycle.event (at, kind, subject, record) values (now(), 'notice', 'web', '{}')",
    );
    let mut limits = Limits::default();
    limits.query = Duration::from_millis(500);
    let database = database_with(&text, limits).await;
    let server = Arc::clone(&cluster);
    let reader = std::thread::spawn(move || {
        server.psql(
            "slow-migration",
            "begin; lock table lifecycle.event in share row exclusive mode; select pg_sleep(3); commit",
        );
    });
    let locks = "select count(*) from pg_locks l join pg_database d on d.oid = l.database \
                 where d.datname = current_database() and l.relation = 'lifecycle.event'::regclass \
                 and l.mode = 'ShareRowExclusiveLock' and l.granted";
    while cluster.psql("slow-migration", locks) == "0" {
        assert!(!reader.is_finished(), "the lock was not seen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let began = Instant::now();
    let ran = database.migrate().await.unwrap();
    assert_eq!(ran.len(), 1);
    assert!(
        began.elapsed() > Duration::from_secs(1),
        "nothing was locked"
    );
    reader.join().unwrap();
}

#[tokio::test]
async fn schema_of_another_version_is_refused_with_one_line() {
    let Some(cluster) = Cluster::shared("versions") else {
        return;
    };
    let text = cluster.database("versions");
    let database = database(&text).await;
    let missing = database
        .schema_version()
        .await
        .unwrap()
        .check()
        .unwrap_err();
    assert!(
        missing.to_string().contains("lifecycle store migrate"),
        "{missing}"
    );
    database.migrate().await.unwrap();
    assert!(database.schema_version().await.unwrap().check().is_ok());
    cluster.psql(
        "versions",
        "insert into lifecycle.schema_version (version, name) values (999, 'future')",
    );
    for error in [
        database.migrate().await.unwrap_err(),
        database
            .schema_version()
            .await
            .unwrap()
            .check()
            .unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(
            error.contains("version 999") && error.contains("newer program"),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1);
    }
}

#[tokio::test]
async fn failures_name_the_remedy_and_never_the_password() {
    let Some(cluster) = Cluster::shared("failures") else {
        return;
    };
    let text = cluster.text("postgres");
    let wrong = text.replace("test%20cluster", "hunter2");
    let missing = cluster.text("no-such-database");
    let closed = cluster.text_at("postgres", 1);
    let encrypted = format!("{text}?sslmode=verify-full");
    for (text, expected, temporary) in [
        (&wrong, "correct the user and the password", false),
        (&missing, "create the database", false),
        (&closed, "127.0.0.1:1/postgres", true),
        (&encrypted, "TLS", true),
    ] {
        let error = database(text).await.connection().await.unwrap_err();
        assert_eq!(error.is_temporary(), temporary, "{error}");
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(shown.contains(expected), "{shown}");
            assert!(
                !shown.contains("secret") && !shown.contains("hunter2"),
                "{shown}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_database_ends_queries_and_does_not_pile_up() {
    let Some(cluster) = Cluster::shared("slow") else {
        return;
    };
    let limits = Limits::default()
        .with_query(Duration::from_millis(500))
        .with_connections(2);
    let database = database_with(&cluster.database("slow"), limits).await;
    let began = tokio::time::Instant::now();
    let queries: Vec<_> = (0..200)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move { database.query("select pg_sleep(60)", &[]).await })
        })
        .collect();
    let mut refused = 0;
    for query in queries {
        let error = query.await.unwrap().unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        refused += usize::from(error.to_string().contains("queries wait"));
    }
    assert!(refused >= 200 - 2 - 64 - 2, "refused at once: {refused}");
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    // The connections are usable again.
    assert_eq!(database.query("select 1", &[]).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn database_survives_the_death_of_the_server() {
    let Some(cluster) = Cluster::own("restart") else {
        return;
    };
    let database = database(&cluster.database("restart")).await;
    assert_eq!(database.query("select 1", &[]).await.unwrap().len(), 1);
    cluster.kill();
    let error = database.query("select pg_sleep(1)", &[]).await.unwrap_err();
    assert!(error.is_temporary(), "{error}");
    cluster.restart();
    assert_eq!(database.query("select 1", &[]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn unfinished_transaction_is_undone() {
    let Some(cluster) = Cluster::shared("undone") else {
        return;
    };
    let database = database(&cluster.database("undone")).await;
    let mut connection = database.connection().await.unwrap();
    connection.begin().await.unwrap();
    connection.batch("create table t (a int)").await.unwrap();
    drop(connection);
    let rows = database.query("select to_regclass('t') is null", &[]).await;
    assert!(rows.unwrap()[0].get::<_, bool>(0));
}

#[tokio::test]
async fn certificate_and_name_of_the_server_are_verified() {
    let Some(cluster) = Cluster::own("tls") else {
        return;
    };
    let authority = rcgen::CertifiedIssuer::self_signed(
        {
            let mut parameters = rcgen::CertificateParams::default();
            parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            parameters
        },
        rcgen::KeyPair::generate().unwrap(),
    )
    .unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = parameters.signed_by(&key, &authority).unwrap();
    cluster.serve_tls(&certificate.pem(), &key.serialize_pem());
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("ca.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    let roots = format!("sslrootcert={}", roots.display());
    let text = cluster.text("postgres").replace("127.0.0.1", "localhost");
    let sql = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    for mode in ["verify-full", "require", "prefer"] {
        let text = format!("{text}?sslmode={mode}&{roots}");
        let rows = database(&text).await.query(sql, &[]).await.unwrap();
        assert!(rows[0].get::<_, bool>(0), "{mode}");
    }
    let plain = format!("{text}?sslmode=disable");
    let rows = database(&plain).await.query(sql, &[]).await.unwrap();
    assert!(!rows[0].get::<_, bool>(0));
    let other_name = format!("{}?sslmode=verify-full&{roots}", cluster.text("postgres"));
    let other_authority = format!("{text}?sslmode=require");
    for text in [other_name, other_authority] {
        let error = database(&text)
            .await
            .connection()
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("certificate"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
    let missing = format!("{text}?sslmode=require&sslrootcert=/nonexistent/ca.pem");
    let error = Database::open(missing.parse().unwrap(), Limits::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("/nonexistent/ca.pem"), "{error}");
}

/// The only thread for blocking calls is busy, so a read of the certificates on this thread does not end.
#[test]
fn certificates_are_not_read_on_a_thread_of_the_runtime() {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let text = "postgres://ops@localhost/fleet?sslmode=require&sslrootcert=/nonexistent/ca.pem";
    let text: ConnectionText = text.parse().unwrap();
    let (release, released) = channel::<()>();
    let limit = Duration::from_millis(50);
    runtime.block_on(async {
        tokio::task::spawn_blocking(move || released.recv());
        let database = Database::open(text.clone(), Limits::default());
        assert!(timeout(limit, database).await.is_err());
        let rate_limit = PostgresRateLimit::open(text.clone());
        assert!(timeout(limit, rate_limit).await.is_err());
        let store = PostgresStore::open(text);
        assert!(timeout(limit, store).await.is_err());
    });
    drop(release);
}

/// Serves a port whose connections fall silent: after `silence`, nothing is forwarded on connections that are open by
/// then, and they stay open, as with a firewall that has forgotten them.
async fn forgetful_port(target: u16) -> (u16, impl Fn()) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let current: Arc<std::sync::Mutex<Arc<AtomicBool>>> = Arc::default();
    let of_new = Arc::clone(&current);
    tokio::spawn(async move {
        while let Ok((inward, _)) = listener.accept().await {
            let Ok(outward) = TcpStream::connect(("127.0.0.1", target)).await else {
                continue;
            };
            let is_silent = Arc::clone(&of_new.lock().unwrap());
            let (from_client, to_client) = inward.into_split();
            let (from_server, to_server) = outward.into_split();
            tokio::spawn(forward(from_client, to_server, Arc::clone(&is_silent)));
            tokio::spawn(forward(from_server, to_client, is_silent));
        }
    });
    let silence = move || {
        let mut current = current.lock().unwrap();
        current.store(true, Ordering::Release);
        *current = Arc::default();
    };
    (port, silence)
}

async fn forward(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    is_silent: Arc<AtomicBool>,
) -> io::Result<()> {
    let mut bytes = [0; 8192];
    loop {
        let read = from.read(&mut bytes).await?;
        if is_silent.load(Ordering::Acquire) {
            std::future::pending::<()>().await;
        }
        if read == 0 {
            return Ok(());
        }
        to.write_all(&bytes[..read]).await?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn query_without_an_answer_gives_up_all_idle_connections() {
    let Some(cluster) = Cluster::shared("forgetful") else {
        return;
    };
    cluster.database("forgetful");
    let (port, silence) = forgetful_port(cluster.port()).await;
    let limits = Limits::default()
        .with_query(Duration::from_millis(500))
        .with_connections(4);
    let database = database_with(&cluster.text_at("forgetful", port), limits).await;
    let queries = (0..4).map(|_| database.query("select pg_sleep(0.1)", &[]));
    for result in futures_util::future::join_all(queries).await {
        result.unwrap();
    }
    silence();
    let error = database.query("select 1", &[]).await.unwrap_err();
    assert!(error.to_string().contains("no answer within"), "{error}");
    // Three more connections were idle, and each of them is as dead.
    assert_eq!(database.query("select 1", &[]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn lost_clients_and_lost_servers_are_noticed_by_the_kernel() {
    let Some(cluster) = Cluster::shared("keepalives") else {
        return;
    };
    let text = cluster.database("keepalives");
    let database = database(&text).await;
    for (setting, expected) in [
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "30000"),
    ] {
        let rows = database
            .query(&format!("show {setting}"), &[])
            .await
            .unwrap();
        assert_eq!(rows[0].get::<_, String>(0), expected, "{setting}");
    }
}
