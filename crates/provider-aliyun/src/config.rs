//! The configuration of the Alibaba ECS provider: region, endpoint and batch mode.

use lifecycle_core::{Endpoint, Fault, FaultKind, ParseEndpointError, ProviderContext};

/// The region of ECS, the network to it, and the batch mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    region: String,
    network: Network,
    batch_mode: BatchMode,
    public: Endpoint,
    vpc: Endpoint,
    custom: Option<Endpoint>,
}

impl Config {
    /// Creates a configuration with the host of `region` over HTTPS: `ecs.{region}.aliyuncs.com`,
    /// with a few exceptions.
    ///
    /// Calls for one instance carry no region: the host selects the region. Any region name is
    /// accepted, because Alibaba adds regions.
    /// <https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-endpoint>
    ///
    /// # Errors
    /// [`ParseEndpointError`] when `region` is not a valid label of a host name: 1 to 63 letters,
    /// digits and hyphens, without a hyphen at the start or the end.
    pub fn new(region: &str) -> Result<Self, ParseEndpointError> {
        let endpoint = |network| Endpoint::of_region(region, |region| host(region, network));
        Ok(Self {
            public: endpoint(Network::Public)?,
            vpc: endpoint(Network::Vpc)?,
            custom: None,
            network: Network::default(),
            batch_mode: BatchMode::default(),
            region: region.to_ascii_lowercase(),
        })
    }

    /// Sets a custom endpoint, such as a private endpoint or a simulator. The custom endpoint takes
    /// precedence over the network.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.custom = Some(endpoint);
        self
    }

    /// Sets the network. Defaults to [`Network::Public`].
    #[must_use]
    pub fn with_network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Sets the batch mode. Defaults to [`BatchMode::SuccessFirst`].
    #[must_use]
    pub fn with_batch_mode(mut self, batch_mode: BatchMode) -> Self {
        self.batch_mode = batch_mode;
        self
    }

    /// Returns the endpoint of the calls.
    pub fn endpoint(&self) -> &Endpoint {
        self.custom.as_ref().unwrap_or(match self.network {
            Network::Public => &self.public,
            Network::Vpc => &self.vpc,
        })
    }

    /// Returns the region, in lower case.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns the batch mode.
    pub(crate) fn batch_mode(&self) -> BatchMode {
        self.batch_mode
    }
}

/// The network between this program and ECS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Network {
    /// The internet.
    #[default]
    Public,
    /// A VPC of the same region: `ecs-vpc.{region}.aliyuncs.com`. Regions with an exceptional host,
    /// such as `cn-hangzhou`, keep the exceptional host, as in the vendor's SDKs.
    Vpc,
}

/// The effect of a rejected instance on the rest of the batch: `BatchOptimization` of ECS.
/// <https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-startinstances>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchMode {
    /// Accepts or rejects each instance separately. The response has a row per instance.
    #[default]
    SuccessFirst,
    /// Accepts all instances or none. ECS reverts a stop when a later instance is rejected, so some
    /// instances may stop and start again.
    AllTogether,
}

/// Returns the endpoint that the vendor's environment variables set; `None` when no variable is
/// set.
///
/// The variables are `ALIBABA_CLOUD_ENDPOINT_ECS` of the vendor's Terraform provider, else
/// `ALIBABA_CLOUD_ENDPOINT` of the vendor's command line. The endpoint is HTTPS by default and
/// applies to every region.
///
/// # Errors
/// [`FaultKind::Invalid`] with the name of the variable when the value is not a valid endpoint.
pub fn endpoint_from(_region: &str, ctx: &ProviderContext<'_>) -> Result<Option<Endpoint>, Fault> {
    let parse = |name, text: String| {
        Endpoint::parse(&text)
            .map_err(|error| Fault::new(FaultKind::Invalid, format!("{name}: {error}")))
    };
    ["ALIBABA_CLOUD_ENDPOINT_ECS", "ALIBABA_CLOUD_ENDPOINT"]
        .into_iter()
        .find_map(|name| Some(parse(name, ctx.variable(name)?)))
        .transpose()
}

fn host(region: &str, network: Network) -> String {
    match (exceptional_host(region), network) {
        (Some(host), _) => host.to_owned(),
        (None, Network::Public) => format!("ecs.{region}.aliyuncs.com"),
        (None, Network::Vpc) => format!("ecs-vpc.{region}.aliyuncs.com"),
    }
}

/// Returns the host of a region that does not follow the pattern, from the vendor's Python and Go
/// SDKs (`alibabacloud_ecs20140526` 7.11.8, `ecs-20140526` 7.9.2).
fn exceptional_host(region: &str) -> Option<&'static str> {
    Some(match region {
        "cn-hangzhou"
        | "cn-shanghai-finance-1"
        | "cn-shenzhen-finance-1"
        | "cn-fujian"
        | "cn-beijing-nu16-b01"
        | "cn-haidian-cm12-c01"
        | "cn-hangzhou-bj-b01"
        | "cn-hangzhou-internal-prod-1"
        | "cn-hangzhou-internal-test-1"
        | "cn-hangzhou-internal-test-2"
        | "cn-hangzhou-internal-test-3"
        | "cn-hangzhou-test-306"
        | "cn-shanghai-et15-b01"
        | "cn-shanghai-et2-b01"
        | "cn-shanghai-internal-test-1"
        | "cn-shenzhen-st4-d01"
        | "cn-shenzhen-su18-b01"
        | "cn-zhangbei-na61-b01" => "ecs-cn-hangzhou.aliyuncs.com",
        "cn-north-2-gov-1"
        | "cn-beijing-gov-1"
        | "cn-beijing-finance-pop"
        | "cn-hangzhou-finance"
        | "cn-hongkong-finance-pop"
        | "ap-northeast-2-pop"
        | "rus-west-1-pop"
        | "cn-shanghai-inner"
        | "cn-shenzhen-inner"
        | "cn-wuhan"
        | "cn-yushanfang"
        | "cn-zhangbei" => "ecs.aliyuncs.com",
        "cn-edge-1" | "cn-huhehaote-nebula-1" | "cn-zhengzhou-nebula-1" => {
            "ecs.cn-qingdao-nebula.aliyuncs.com"
        }
        "eu-west-1-oxs" => "ecs.cn-shenzhen-cloudstone.aliyuncs.com",
        "cn-zhangjiakou-na62-a01" => "ecs.cn-zhangjiakou.aliyuncs.com",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use provider_testing::FakeHost;

    use super::*;
    use crate::credentials::tests::ctx;

    fn host_of(region: &str, network: Network) -> String {
        let config = Config::new(region).unwrap().with_network(network);
        config.endpoint().to_string()
    }

    #[test]
    fn region_selects_the_host() {
        for (region, public, vpc) in [
            ("cn-beijing", "ecs.cn-beijing", "ecs-vpc.cn-beijing"),
            (
                "ap-southeast-1",
                "ecs.ap-southeast-1",
                "ecs-vpc.ap-southeast-1",
            ),
            // An exceptional host is the same on every network.
            ("cn-hangzhou", "ecs-cn-hangzhou", "ecs-cn-hangzhou"),
            ("CN-Hangzhou", "ecs-cn-hangzhou", "ecs-cn-hangzhou"),
            (
                "cn-hangzhou-internal-test-2",
                "ecs-cn-hangzhou",
                "ecs-cn-hangzhou",
            ),
            ("cn-zhangbei", "ecs", "ecs"),
            ("cn-zhangbei-na61-b01", "ecs-cn-hangzhou", "ecs-cn-hangzhou"),
            (
                "cn-edge-1",
                "ecs.cn-qingdao-nebula",
                "ecs.cn-qingdao-nebula",
            ),
            (
                "eu-west-1-oxs",
                "ecs.cn-shenzhen-cloudstone",
                "ecs.cn-shenzhen-cloudstone",
            ),
            (
                "cn-zhangjiakou-na62-a01",
                "ecs.cn-zhangjiakou",
                "ecs.cn-zhangjiakou",
            ),
        ] {
            assert_eq!(
                host_of(region, Network::Public),
                format!("https://{public}.aliyuncs.com")
            );
            assert_eq!(
                host_of(region, Network::Vpc),
                format!("https://{vpc}.aliyuncs.com")
            );
        }
        assert_eq!(Config::new("CN-Beijing").unwrap().region(), "cn-beijing");
    }

    #[test]
    fn endpoint_comes_from_the_vendors_variables() {
        let terraform = ("ALIBABA_CLOUD_ENDPOINT_ECS", "ecs.example.com");
        let command_line = ("ALIBABA_CLOUD_ENDPOINT", " http://127.0.0.1:7070\n");
        for (texts, expected) in [
            (&[][..], None),
            (&[("ALIBABA_CLOUD_ENDPOINT", " ")], None),
            (&[terraform, command_line], Some("https://ecs.example.com")),
            (&[command_line], Some("http://127.0.0.1:7070")),
        ] {
            let endpoint = endpoint_from("cn-beijing", &ctx(&FakeHost::new(texts))).unwrap();
            let endpoint = endpoint.map(|endpoint| endpoint.to_string());
            assert_eq!(endpoint.as_deref(), expected, "{texts:?}");
        }
        for name in ["ALIBABA_CLOUD_ENDPOINT_ECS", "ALIBABA_CLOUD_ENDPOINT"] {
            let host = FakeHost::new(&[(name, "ftp://a")]);
            let fault = endpoint_from("cn-beijing", &ctx(&host)).unwrap_err();
            assert_eq!(fault.kind(), FaultKind::Invalid);
            assert!(fault.message().starts_with(&format!("{name}: ")), "{fault}");
        }
    }

    #[test]
    fn region_that_is_not_a_host_label_is_rejected() {
        let long = "x".repeat(64);
        for region in [
            "", "-a", "a-", "a.b", "a/b", "a@b", "a:80", "a?b", "a#b", "http://a", "ü", "a b",
            "a\r\nb", &long,
        ] {
            assert!(Config::new(region).is_err(), "{region:?} was accepted");
        }
        let error = Config::new("evil.example#").unwrap_err().to_string();
        assert!(error.contains("evil.example"), "{error}");
    }

    #[test]
    fn custom_endpoint_takes_precedence_over_the_network() {
        let config = Config::new("cn-beijing")
            .unwrap()
            .with_endpoint(Endpoint::parse("http://127.0.0.1:7070").unwrap())
            .with_network(Network::Vpc);
        assert_eq!(config.endpoint().to_string(), "http://127.0.0.1:7070");
        assert_eq!(config.region(), "cn-beijing");
    }
}
