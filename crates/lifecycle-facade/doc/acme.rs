// The provider of the example of `CloudEntry`: a cloud that supports no call. The example `fifth_cloud` has a
// provider that works.

use bytes::Bytes;
use lifecycle_facade::{
    Credential, Fault, FaultKind, InstanceId, Observation, Profile, Provider,
    lifecycle_core::{
        Action, ApiCall, BatchAck, HttpResponse, ListPage, ListQuery, PageToken, SigningContext,
        UnsignedRequest,
    },
};

#[derive(Debug)]
pub struct Acme {
    pub profile: &'static Profile,
}

fn unsupported() -> Fault {
    Fault::new(FaultKind::Unsupported, "the cloud of the example supports no call")
}

impl Provider for Acme {
    fn profile(&self) -> &Profile {
        self.profile
    }

    fn act(&self, _: &Action, _: &[InstanceId]) -> Result<ApiCall<BatchAck>, Fault> {
        Err(unsupported())
    }

    fn observe(&self, _: &[InstanceId]) -> Result<ApiCall<Vec<Observation>>, Fault> {
        Err(unsupported())
    }

    fn list(&self, _: &ListQuery, _: Option<&PageToken>) -> Result<ApiCall<ListPage>, Fault> {
        Err(unsupported())
    }

    fn sign(
        &self,
        _: &UnsignedRequest,
        _: &Credential,
        _: &SigningContext,
    ) -> Result<http::Request<Bytes>, Fault> {
        Err(unsupported())
    }

    fn check(&self, _: &HttpResponse) -> Result<(), Fault> {
        Err(unsupported())
    }

    fn request_id(&self, _: &HttpResponse) -> Option<String> {
        None
    }
}
