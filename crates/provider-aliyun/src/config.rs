//! Where ECS is reached: one host per region, with exceptions; and how batches are carried out.

use lifecycle_core::{Endpoint, Fault, FaultKind, ParseEndpointError, ProviderContext};

/// Which region of ECS to talk to, over which network, and how a batch is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    region: String,
    network: Network,
    batch: Batch,
    public: Endpoint,
    vpc: Endpoint,
    given: Option<Endpoint>,
}

impl Config {
    /// The region's own host over HTTPS: one of the vendor's exceptions, else
    /// `ecs.{region}.aliyuncs.com`.
    ///
    /// Calls for one instance carry no region, so the host decides where it is looked for. Alibaba
    /// adds regions, so none is refused for being unknown.
    /// <https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-endpoint>
    ///
    /// # Errors
    /// [`ParseEndpointError`] when `region` is not one label of a host name: 1 to 63 letters, digits and
    /// hyphens, with no hyphen at either end.
    pub fn new(region: &str) -> Result<Self, ParseEndpointError> {
        let endpoint = |network| Endpoint::of_region(region, |region| host(region, network));
        Ok(Self {
            public: endpoint(Network::Public)?,
            vpc: endpoint(Network::Vpc)?,
            given: None,
            network: Network::default(),
            batch: Batch::default(),
            region: region.to_ascii_lowercase(),
        })
    }

    /// With another endpoint, such as a private one or a simulator. It wins over the network.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.given = Some(endpoint);
        self
    }

    /// Over this network; the public one unless told otherwise.
    #[must_use]
    pub fn with_network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// With batches carried out this way; [`Batch::SuccessFirst`] unless told otherwise.
    #[must_use]
    pub fn with_batch(mut self, batch: Batch) -> Self {
        self.batch = batch;
        self
    }

    /// Where the calls go.
    pub fn endpoint(&self) -> &Endpoint {
        self.given.as_ref().unwrap_or(match self.network {
            Network::Public => &self.public,
            Network::Vpc => &self.vpc,
        })
    }

    /// The region whose instances are meant, in lower case.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// How a batch is carried out.
    pub(crate) fn batch(&self) -> Batch {
        self.batch
    }
}

/// The network over which ECS is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Network {
    /// The internet.
    #[default]
    Public,
    /// The inside of a VPC of the same region: `ecs-vpc.{region}.aliyuncs.com`. A region with a
    /// host of its own, such as `cn-hangzhou`, keeps that host, as in the vendor's SDKs.
    Vpc,
}

/// What becomes of a batch when one of its instances cannot do what is asked.
/// <https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-startinstances>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Batch {
    /// Each instance is on its own, and the answer has a row for each.
    #[default]
    SuccessFirst,
    /// All or nothing. A stop takes back what it has already done when a later instance refuses,
    /// so instances can go down and come up again.
    AllTogether,
}

/// Where the vendor's own variables send the calls instead; `None` when they say nothing.
///
/// `ALIBABA_CLOUD_ENDPOINT_ECS` of its Terraform provider, else `ALIBABA_CLOUD_ENDPOINT` of its
/// command line. HTTPS unless they say HTTP. They hold for every region.
///
/// # Errors
/// [`FaultKind::Invalid`], naming the variable, when the value is no endpoint.
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
    match (exception(region), network) {
        (Some(host), _) => host.to_owned(),
        (None, Network::Public) => format!("ecs.{region}.aliyuncs.com"),
        (None, Network::Vpc) => format!("ecs-vpc.{region}.aliyuncs.com"),
    }
}

/// The hosts that do not follow the pattern, as the vendor's Python and Go SDKs have them
/// (`alibabacloud_ecs20140526` 7.11.8, `ecs-20140526` 7.9.2).
fn exception(region: &str) -> Option<&'static str> {
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
    use super::*;
    use crate::credentials::tests::{Toy, ctx};

    fn host_of(region: &str, network: Network) -> String {
        let config = Config::new(region).unwrap().with_network(network);
        config.endpoint().to_string()
    }

    #[test]
    fn a_region_becomes_a_host() {
        for (region, public, vpc) in [
            ("cn-beijing", "ecs.cn-beijing", "ecs-vpc.cn-beijing"),
            (
                "ap-southeast-1",
                "ecs.ap-southeast-1",
                "ecs-vpc.ap-southeast-1",
            ),
            // A host of its own wins over the network.
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
    fn variables_send_the_calls_elsewhere() {
        let terraform = ("ALIBABA_CLOUD_ENDPOINT_ECS", "ecs.example.com");
        let command_line = ("ALIBABA_CLOUD_ENDPOINT", " http://127.0.0.1:7070\n");
        for (texts, expected) in [
            (&[][..], None),
            (&[("ALIBABA_CLOUD_ENDPOINT", " ")], None),
            (&[terraform, command_line], Some("https://ecs.example.com")),
            (&[command_line], Some("http://127.0.0.1:7070")),
        ] {
            let endpoint = endpoint_from("cn-beijing", &ctx(&Toy::new(texts))).unwrap();
            let endpoint = endpoint.map(|endpoint| endpoint.to_string());
            assert_eq!(endpoint.as_deref(), expected, "{texts:?}");
        }
        for name in ["ALIBABA_CLOUD_ENDPOINT_ECS", "ALIBABA_CLOUD_ENDPOINT"] {
            let toy = Toy::new(&[(name, "ftp://a")]);
            let fault = endpoint_from("cn-beijing", &ctx(&toy)).unwrap_err();
            assert_eq!(fault.kind(), FaultKind::Invalid);
            assert!(fault.message().starts_with(&format!("{name}: ")), "{fault}");
        }
    }

    #[test]
    fn a_region_that_is_no_label_is_refused() {
        let long = "x".repeat(64);
        for region in [
            "", "-a", "a-", "a.b", "a/b", "a@b", "a:80", "a?b", "a#b", "http://a", "ü", "a b",
            "a\r\nb", &long,
        ] {
            assert!(Config::new(region).is_err(), "{region:?} was taken");
        }
        let refusal = Config::new("evil.example#").unwrap_err().to_string();
        assert!(refusal.contains("evil.example"), "{refusal}");
    }

    #[test]
    fn a_given_endpoint_wins() {
        let config = Config::new("cn-beijing")
            .unwrap()
            .with_endpoint(Endpoint::parse("http://127.0.0.1:7070").unwrap())
            .with_network(Network::Vpc);
        assert_eq!(config.endpoint().to_string(), "http://127.0.0.1:7070");
        assert_eq!(config.region(), "cn-beijing");
    }
}
