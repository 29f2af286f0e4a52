//! What the command line and the configuration file say together: the command line first, then the
//! file, then what is usual.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use lifecycle_facade::{
    Endpoint, Fleet, FleetBuilder, HttpTransport, InstanceReference, ParseReferenceError,
    PlainHttp, Timeouts, Waves,
    config::{self, Config, ConfigError, GroupEntry},
};

use crate::{args::ConnectionArgs, exit::CommandError, simulated};

/// The settings of one run.
#[derive(Debug)]
pub(crate) struct Setup {
    connection: ConnectionArgs,
    config: Option<Config>,
}

impl Setup {
    /// Reads the configuration file, where there is one.
    ///
    /// # Errors
    /// When it was named and is not there, or something in it is wrong.
    pub(crate) fn read(connection: &ConnectionArgs) -> Result<Self, CommandError> {
        let named = connection.config.clone().or_else(from_environment);
        let config = match (named, Config::default_path()) {
            // The simulator knows neither accounts nor machines of anybody.
            _ if connection.sim => Ok(None),
            (Some(path), _) => Config::load(path).map(Some),
            (None, Some(path)) => Config::load_if_present(path),
            (None, None) => Ok(None),
        };
        let wrong = |bad: ConfigError| CommandError::wrong_usage(bad.to_string());
        let config = config.map_err(wrong)?;
        if let Some(config) = &config {
            config.check_groups(is_reference).map_err(wrong)?;
        }
        Ok(Self {
            connection: connection.clone(),
            config,
        })
    }

    /// The fleet. No cloud is called yet.
    ///
    /// # Errors
    /// When the simulator or the HTTP client cannot be set up, or an account cannot be.
    pub(crate) fn fleet(&self) -> Result<Fleet, CommandError> {
        let builder = if self.connection.sim {
            simulated::fleet().map_err(|bad| CommandError::nothing_done(bad.to_string()))?
        } else {
            self.real_clouds()?
        };
        let timeouts = self.timeouts();
        Ok(builder
            .setup_timeout(self.timeout())
            .configure_client(move |client| client.timeouts(timeouts))
            .build()?)
    }

    /// How long to wait.
    pub(crate) fn timeout(&self) -> Duration {
        let configured = self
            .config
            .as_ref()
            .and_then(|config| config.defaults.timeout);
        self.connection
            .timeout
            .or(configured)
            .unwrap_or(Duration::from_secs(600))
    }

    /// In which waves power actions go, where the command line does not say it.
    pub(crate) fn waves(&self) -> Option<Waves> {
        self.config.as_ref()?.defaults.waves
    }

    /// After how many failures waves end, where the command line does not say it.
    pub(crate) fn stop_after(&self) -> Option<NonZeroUsize> {
        self.config.as_ref()?.defaults.stop_after
    }

    /// The greatest number of instances, where the command line does not say it.
    pub(crate) fn max(&self) -> Option<usize> {
        self.config.as_ref()?.defaults.max.map(NonZeroUsize::get)
    }

    /// The configuration file that was read.
    pub(crate) fn config_path(&self) -> Option<&Path> {
        self.config.as_ref()?.file.as_deref()
    }

    /// The instances of a group.
    ///
    /// # Errors
    /// When there is no such group.
    pub(crate) fn group(&self, name: &str) -> Result<Vec<InstanceReference>, CommandError> {
        let no_reference = format!(
            "{name:?} is no reference: write cloud/region/instance-id, such as baidu/bj/i-a1b2c3d4"
        );
        let Some(config) = &self.config else {
            return Err(CommandError::wrong_usage(format!(
                "{no_reference}, or a group of a configuration file"
            )));
        };
        let Some(group) = config.groups.get(name) else {
            let known: Vec<&str> = config.groups.keys().map(String::as_str).collect();
            return Err(CommandError::wrong_usage(if known.is_empty() {
                format!("{no_reference}; the configuration file has no groups")
            } else {
                format!("{no_reference}, or a group: there is {}", known.join(", "))
            }));
        };
        let read = |entry: &GroupEntry| {
            let reference = entry.text.parse();
            reference.map_err(|bad: ParseReferenceError| CommandError::wrong_usage(bad.to_string()))
        };
        group.iter().map(read).collect()
    }

    fn real_clouds(&self) -> Result<FleetBuilder, CommandError> {
        let mut builder = Fleet::builder().transport(self.transport()?);
        if let Some(config) = &self.config {
            builder = builder.with_config(config)?;
        }
        if self.connection.plain_http {
            builder = builder.plain_http(PlainHttp::Anywhere);
        }
        if let Some(endpoint) = &self.connection.endpoint {
            self.admit(endpoint)?;
            builder = builder.endpoint(endpoint.clone());
        }
        Ok(builder)
    }

    /// The client refuses it too, but only when it is about to send.
    fn admit(&self, endpoint: &Endpoint) -> Result<(), CommandError> {
        let configured = self
            .config
            .as_ref()
            .and_then(|config| config.defaults.plain_http);
        let anywhere = self.connection.plain_http || configured == Some(PlainHttp::Anywhere);
        if endpoint.is_encrypted() || endpoint.is_loopback() || anywhere {
            return Ok(());
        }
        Err(CommandError::wrong_usage(format!(
            "--endpoint: {endpoint} would send keys' signatures unencrypted: write https://; http:// is for this machine only, such as http://127.0.0.1:7070, unless --plain-http says otherwise"
        )))
    }

    fn transport(&self) -> Result<HttpTransport, CommandError> {
        let defaults = self.config.as_ref().map(|config| &config.defaults);
        let mut transport = HttpTransport::builder();
        let configured = defaults.and_then(|defaults| defaults.connect_timeout);
        if let Some(limit) = self.connection.connect_timeout.or(configured) {
            transport = transport.connect_timeout(limit);
        }
        let configured = defaults.into_iter().flat_map(|d| &d.ca_certificates);
        for path in self.connection.ca_certificates.iter().chain(configured) {
            let unusable = |why: String| {
                CommandError::wrong_usage(format!("CA certificates in {}: {why}", path.display()))
            };
            let pem = fs::read(path).map_err(|error| unusable(error.to_string()))?;
            transport = transport
                .add_certificates(&pem)
                .map_err(|error| unusable(error.to_string()))?;
        }
        transport
            .build()
            .map_err(|error| CommandError::nothing_done(error.to_string()))
    }

    /// Bounds of requests that do not wait. Waiting takes its bound with the request.
    fn timeouts(&self) -> Timeouts {
        let mut timeouts = Timeouts::default();
        timeouts.request = self.timeout();
        let configured = self
            .config
            .as_ref()
            .and_then(|config| config.defaults.attempt_timeout);
        if let Some(limit) = configured {
            timeouts.attempt = limit;
        }
        timeouts
    }
}

/// The file that the environment names. An empty name is none.
fn from_environment() -> Option<PathBuf> {
    let path = std::env::var_os(config::VARIABLE).filter(|path| !path.is_empty())?;
    Some(PathBuf::from(path))
}

fn is_reference(text: &str) -> Result<(), String> {
    let read: Result<InstanceReference, ParseReferenceError> = text.parse();
    read.map(drop).map_err(|bad| bad.to_string())
}
