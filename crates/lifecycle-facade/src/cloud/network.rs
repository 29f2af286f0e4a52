//! The network over which a cloud is reached: the internet or a VPC.

/// The network over which a cloud is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointNetwork {
    /// The internet.
    #[default]
    Public,
    /// A VPC in the same region. Clouds without VPC endpoints are reached over the internet.
    Vpc,
}
