//! Every reason for not answering a request as asked, and the status each one gets.

use http::StatusCode;

/// Why a request is refused or failed. The client gets the status and a short text; the reasons go to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// Something in the head breaks the protocol.
    #[error("{0}")]
    Malformed(&'static str),
    /// On Web Authentication refused; with a challenge if the request could be made with credentials.
    #[error("refused by On Web Authentication")]
    Unauthorized,
    /// The method exists but is not available to URLs.
    #[error("the method is not available through URLs")]
    MethodNotAvailable,
    /// `/4DSYNC` is switched off.
    #[error("/4DSYNC URLs are not allowed")]
    SyncDisabled,
    /// One of `rules` denies access.
    #[error("a rule denies access")]
    Denied,
    /// A page of another host asked, which `CORSSettings` does not let.
    #[error("the page's host, or the method, is not in CORSSettings")]
    CrossSite,
    /// The client makes more requests than `[rate_limit]` lets it; it may try again after so many seconds.
    #[error("more requests than [rate_limit] lets one client make")]
    TooMany(u32),
    /// There is nothing at this URL.
    #[error("nothing at this URL")]
    NotFound,
    /// The file does not take this method.
    #[error("files take GET and HEAD only")]
    MethodNotAllowed,
    /// The handlers of the URL take other methods.
    #[error("no handler of the URL takes the method")]
    NotHandled,
    /// One of `handlers` names a component that is not there.
    #[error("Cannot find singleton")]
    NoSingleton,
    /// One of `handlers` names a method that its component does not have.
    #[error("Cannot find singleton function")]
    NoSingletonFunction,
    /// TRACE is switched off.
    #[error("TRACE is not enabled")]
    TraceDisabled,
    /// The body is larger than `maxRequestSize`, or than TRACE sends back.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The body did not come in time.
    #[error("the body did not come in time")]
    BodyLate,
    /// The head did not come in time.
    #[error("the head did not come in time")]
    HeadLate,
    /// The body is sent in a way that is not known here.
    #[error("the body's Transfer-Encoding is not chunked")]
    TransferCoding,
    /// The client expects something that is not known here.
    #[error("the Expect header is not 100-continue")]
    Expectation,
    /// The request is one of another HTTP, which is not spoken here in this way.
    #[error("the version is none of HTTP/1")]
    VersionUnknown,
    /// The body is compressed in a way that is not known here.
    #[error("the body's Content-Encoding is none of zstd, br and gzip")]
    UnknownCoding,
    /// The URL is longer than any this server serves.
    #[error("the URL is too long")]
    UrlTooLong,
    /// Another web server of the same port is for the host that is asked for.
    #[error("another web server of this port is for that host")]
    Misdirected,
    /// There are more header fields than any this server reads.
    #[error("there are too many header fields")]
    TooManyFields,
    /// The header fields are longer than any this server reads.
    #[error("the header fields are too long")]
    HeadTooLarge,
    /// No component and no file of this server takes such a method.
    #[error("method not implemented")]
    NotImplemented,
    /// The handler failed.
    #[error("the handler failed")]
    Failed,
    /// As many web processes run as the server allows, or no instance is to be had.
    #[error("Server unavailable")]
    Unavailable,
    /// The web server that would answer is stopped.
    #[error("the web server is stopped")]
    Stopped,
    /// Components call each other without an end.
    #[error("components call each other in a loop")]
    Loop,
    /// The handler took too long.
    #[error("the handler took too long")]
    Deadline,
}

impl Reject {
    /// The status of each reason: the one place that decides it.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::MethodNotAvailable | Self::SyncDisabled | Self::Denied | Self::CrossSite => {
                StatusCode::FORBIDDEN
            }
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed | Self::NotHandled | Self::TraceDisabled => {
                StatusCode::METHOD_NOT_ALLOWED
            }
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyLate | Self::HeadLate => StatusCode::REQUEST_TIMEOUT,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::VersionUnknown => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::UnknownCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::UrlTooLong => StatusCode::URI_TOO_LONG,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::TooManyFields | Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::NotImplemented | Self::TransferCoding => StatusCode::NOT_IMPLEMENTED,
            Self::Failed | Self::NoSingleton | Self::NoSingletonFunction => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Unavailable | Self::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            Self::Loop => StatusCode::LOOP_DETECTED,
            Self::Deadline => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// What the page says beside the status: nothing that is internal.
    pub fn visitor_text(self) -> &'static str {
        match self {
            Self::Malformed(what) => what,
            Self::Unauthorized => "You need to log in to see this page.",
            Self::MethodNotAvailable => "This cannot be called from a URL.",
            Self::SyncDisabled => "4DSYNC is not allowed.",
            Self::Denied => "Access to this address is denied.",
            Self::CrossSite => "Pages of that host may not ask for this.",
            Self::TooMany(_) => "You ask more often than this server answers. Try again later.",
            Self::NotFound => "There is nothing at this address.",
            Self::MethodNotAllowed => "This page can only be read.",
            Self::NotHandled => "This address does not take the request method.",
            // The documents want these words.
            Self::NoSingleton => "Cannot find singleton",
            Self::NoSingletonFunction => "Cannot find singleton function",
            Self::TraceDisabled => "TRACE is not enabled.",
            Self::BodyTooLarge => "The request is larger than this server takes.",
            Self::BodyLate | Self::HeadLate => "The request was not complete in time.",
            Self::TransferCoding => "The request is sent in a way that this server does not know.",
            Self::Expectation => "The request expects what this server does not know.",
            Self::VersionUnknown => "This server speaks HTTP/1 and HTTP/2.",
            Self::UnknownCoding => {
                "The request is compressed in a way that this server does not know."
            }
            Self::UrlTooLong => "The address is longer than this server takes.",
            Self::Misdirected => "This host is not to be reached by this connection.",
            Self::TooManyFields => "The request has more header fields than this server reads.",
            Self::HeadTooLarge => "The request has longer header fields than this server reads.",
            Self::NotImplemented => "This server does not know the request method.",
            Self::Failed => "The page could not be made. The error has been logged.",
            Self::Unavailable => "Server unavailable",
            Self::Stopped => "This web server is stopped.",
            Self::Loop => "The page needs itself to be made.",
            Self::Deadline => "The page was not ready in time.",
        }
    }
}
