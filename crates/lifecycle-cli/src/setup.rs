//! The settings of one run, and the fleet with these settings. The command line takes precedence
//! over the configuration file, and the file over the defaults.

use std::{num::NonZeroUsize, path::Path, sync::Arc, time::Duration};

use lifecycle_facade::{
    Endpoint, Fleet, FleetBuilder, HttpTransport, InstanceReference, LocationPattern,
    ParseReferenceError, PlainHttp, StatsObserver, Timeouts, Waves,
    config::{Config, Defaults},
    file,
};

use crate::{
    args::{ConnectionArgs, InstanceArgs, RequestArgs},
    blocking::{DEFAULT_TIMEOUT, blocking},
    config_file,
    exit::CommandError,
    simulated,
    targets::{self, Targets},
};

/// The settings of one run.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    connection: ConnectionArgs,
    config: Option<Config>,
    /// Receives the counted events of the clients, for metrics.
    stats_observer: Option<Arc<dyn StatsObserver>>,
}

impl Setup {
    /// Reads the configuration file, if there is one.
    ///
    /// # Errors
    /// The file is named but does not exist, or has errors.
    pub(crate) async fn read(connection: &ConnectionArgs) -> Result<Self, CommandError> {
        let limit = Some(connection.timeout.unwrap_or(DEFAULT_TIMEOUT));
        // Accounts and groups name real clouds, so `--sim` ignores the file.
        let config = match connection.sim {
            true => None,
            false => config_file::read(connection.config.clone(), limit).await?,
        };
        if let Some(config) = &config {
            config
                .check_groups(check_reference, check_location)
                .map_err(|error| CommandError::configuration(&error))?;
        }
        Ok(Self {
            connection: connection.clone(),
            config,
            stats_observer: None,
        })
    }

    /// Passes the counted events of the clients to an observer.
    pub(crate) fn with_stats_observer(mut self, observer: impl StatsObserver) -> Self {
        self.stats_observer = Some(Arc::new(observer));
        self
    }

    /// Builds the fleet. Calls no cloud.
    ///
    /// # Errors
    /// The simulator, the HTTP client or an account has invalid settings.
    pub(crate) async fn fleet(&self) -> Result<Fleet, CommandError> {
        self.fleet_with(|builder| builder).await
    }

    /// Builds the fleet with further settings. Calls no cloud.
    ///
    /// # Errors
    /// See [`fleet`](Self::fleet).
    pub(crate) async fn fleet_with(
        &self,
        configure: impl FnOnce(FleetBuilder) -> FleetBuilder + Send + 'static,
    ) -> Result<Fleet, CommandError> {
        let setup = self.clone();
        blocking(Some(self.timeout()), "the CA certificates", move || {
            Ok(configure(setup.builder()?).build()?)
        })
        .await
    }

    fn builder(&self) -> Result<FleetBuilder, CommandError> {
        let builder = if self.connection.sim {
            simulated::small_fleet_builder()
                .map_err(|error| CommandError::nothing_done(error.to_string()))?
        } else {
            self.real_clouds()?
        };
        let builder = match &self.stats_observer {
            Some(observer) => builder.stats_observer(Arc::clone(observer)),
            None => builder,
        };
        let timeouts = self.timeouts();
        Ok(builder
            .setup_timeout(self.timeout())
            .configure_client(move |client| client.timeouts(timeouts)))
    }

    /// Returns the target instances of the command.
    ///
    /// # Errors
    /// See [`targets::read`].
    pub(crate) async fn targets(&self, args: &InstanceArgs) -> Result<Targets, CommandError> {
        let (args, config) = (args.clone(), self.config.clone());
        blocking(Some(self.timeout()), "standard input", move || {
            targets::read(&args, config.as_ref())
        })
        .await
    }

    /// Returns the time limit.
    pub(crate) fn timeout(&self) -> Duration {
        let configured = self.defaults().and_then(|defaults| defaults.timeout);
        self.connection
            .timeout
            .or(configured)
            .unwrap_or(DEFAULT_TIMEOUT)
    }

    /// Returns the time limit of the wait for the result, or `None` for `--no-wait`.
    pub(crate) fn wait_timeout(&self, args: &RequestArgs) -> Option<Duration> {
        (!args.no_wait).then(|| self.timeout())
    }

    /// Returns the waves. A request with `--no-wait` has none, because a wave ends with its results.
    ///
    /// # Errors
    /// The command line has `--stop-after` or `--wave-pause`, but there are no waves.
    pub(crate) fn waves(&self, args: &RequestArgs) -> Result<Option<Waves>, CommandError> {
        let configured = || self.defaults()?.waves.filter(|_| !args.no_wait);
        let Some(waves) = args.waves.or_else(configured) else {
            let needs_waves = [
                (args.stop_after.is_some(), "--stop-after"),
                (args.wave_pause.is_some(), "--wave-pause"),
            ];
            return match needs_waves.iter().find(|(is_set, _)| *is_set) {
                Some((_, option)) => Err(CommandError::wrong_usage(format!(
                    "{option} needs --waves: write both"
                ))),
                None => Ok(None),
            };
        };
        let configured = |setting: fn(&Defaults) -> Option<Duration>| setting(self.defaults()?);
        let pause = args.wave_pause.or_else(|| configured(|of| of.wave_pause));
        let waves = waves.with_pause(pause.unwrap_or_default());
        let configured = || self.defaults()?.stop_after;
        Ok(Some(match args.stop_after.or_else(configured) {
            Some(failures) => waves.with_stop_after(failures),
            None => waves,
        }))
    }

    /// Returns the allowed number of instances.
    pub(crate) fn max(&self, args: &RequestArgs) -> Option<usize> {
        let configured = || self.defaults()?.max.map(NonZeroUsize::get);
        args.max.or_else(configured)
    }

    /// Returns the path of the configuration file.
    pub(crate) fn config_path(&self) -> Option<&Path> {
        self.config.as_ref()?.file.as_deref()
    }

    /// Returns `true` if the configuration file protects instances, so that references are checked too.
    pub(crate) fn protects(&self) -> bool {
        self.defaults()
            .is_some_and(|defaults| !defaults.protect.is_empty() || defaults.protect_tag.is_some())
    }

    /// Returns the configuration file, if there is one.
    pub(crate) fn config(&self) -> Option<&Config> {
        self.config.as_ref()
    }

    fn defaults(&self) -> Option<&Defaults> {
        self.config.as_ref().map(|config| &config.defaults)
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
            self.check_encryption(endpoint)?;
            builder = builder.endpoint(endpoint.clone());
        }
        Ok(builder)
    }

    /// Rejects an unencrypted endpoint. The client rejects it too, but only before the first call.
    fn check_encryption(&self, endpoint: &Endpoint) -> Result<(), CommandError> {
        let configured = self.defaults().and_then(|defaults| defaults.plain_http);
        let anywhere = self.connection.plain_http || configured == Some(PlainHttp::Anywhere);
        if endpoint.is_encrypted() || endpoint.is_loopback() || anywhere {
            return Ok(());
        }
        Err(CommandError::wrong_usage(format!(
            "--endpoint: {endpoint} is not encrypted: write https:// (http:// to another machine needs --plain-http)"
        )))
    }

    fn transport(&self) -> Result<HttpTransport, CommandError> {
        let mut transport = HttpTransport::builder();
        let configured = self
            .defaults()
            .and_then(|defaults| defaults.connect_timeout);
        if let Some(limit) = self.connection.connect_timeout.or(configured) {
            transport = transport.connect_timeout(limit);
        }
        let configured = self.defaults().into_iter().flat_map(|d| &d.ca_certificates);
        for path in self.connection.ca_certificates.iter().chain(configured) {
            let unusable = |why: String| {
                CommandError::wrong_usage(format!("CA certificates in {}: {why}", path.display()))
            };
            let pem = file::read_bytes(path, file::MAX_CERTIFICATES)
                .map_err(|error| unusable(format!("cannot be read: {error}")))?;
            transport = transport
                .add_certificates(&pem)
                .map_err(|error| unusable(error.to_string()))?;
        }
        transport
            .build()
            .map_err(|error| CommandError::nothing_done(error.to_string()))
    }

    /// Returns the time limits of single calls and of requests that do not wait.
    fn timeouts(&self) -> Timeouts {
        let mut timeouts = Timeouts::default();
        timeouts.request = self.timeout();
        if let Some(limit) = self
            .defaults()
            .and_then(|defaults| defaults.attempt_timeout)
        {
            timeouts.attempt = limit;
        }
        timeouts
    }
}

fn check_location(text: &str) -> Result<(), String> {
    let parsed: Result<LocationPattern, ParseReferenceError> = text.parse();
    parsed.map(drop).map_err(|error| error.to_string())
}

fn check_reference(text: &str) -> Result<(), String> {
    let parsed: Result<InstanceReference, ParseReferenceError> = text.parse();
    parsed.map(drop).map_err(|error| error.to_string())
}
