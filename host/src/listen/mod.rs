//! The ports of the process: opened, shared, handed over, closed.

mod addresses;
mod bind;
mod descriptors;
mod entry;
mod error;
mod inherited;
mod port;
mod ports;
mod proxy;

pub use addresses::ClientCounts;
pub use descriptors::provide as provide_descriptors;
pub use error::{BindError, BindFailure};
pub use inherited::Inherited;
pub use port::{ConnectionLimits, Port};
pub use ports::{Claim, Held, Ports, Taken};
