//! The only values a metric label can have: codes of closed lists. There is no way from a text to a label.

use crate::domain::{
    indicators::{Affiliation, Stage},
    regulation::{
        need::{CareLevel, CareType},
        qualification::{Priority, Stream},
    },
    territory::RouteCategory,
};

/// A value of a closed list.
pub trait Label: Copy {
    /// Its code.
    fn code(self) -> &'static str;
}

macro_rules! labels_of_the_domain {
    ($($name:ty),*) => {$(
        impl Label for $name {
            fn code(self) -> &'static str {
                <$name>::code(self)
            }
        }
    )*};
}

labels_of_the_domain!(Priority, Stream, RouteCategory, Stage, Affiliation, CareType, CareLevel);

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl Label for $name {
            fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }
        }
    )*};
}

labels! {
    /// How a gRPC call ended, in the words of gRPC.
    CallResult {
        /// Answered.
        Ok = "OK",
        /// The caller left.
        Cancelled = "CANCELLED",
        /// A field is wrong.
        InvalidArgument = "INVALID_ARGUMENT",
        /// The time the caller gave ran out.
        DeadlineExceeded = "DEADLINE_EXCEEDED",
        /// There is no such thing, here.
        NotFound = "NOT_FOUND",
        /// It exists already.
        AlreadyExists = "ALREADY_EXISTS",
        /// This actor may not.
        PermissionDenied = "PERMISSION_DENIED",
        /// No actor.
        Unauthenticated = "UNAUTHENTICATED",
        /// A limit was reached.
        ResourceExhausted = "RESOURCE_EXHAUSTED",
        /// Something must be mended first.
        FailedPrecondition = "FAILED_PRECONDITION",
        /// Read again and repeat.
        Aborted = "ABORTED",
        /// Beyond the end.
        OutOfRange = "OUT_OF_RANGE",
        /// Not served.
        Unimplemented = "UNIMPLEMENTED",
        /// A fault of the service.
        Internal = "INTERNAL",
        /// Retry the call.
        Unavailable = "UNAVAILABLE",
        /// Stored data cannot be read.
        DataLoss = "DATA_LOSS",
        /// None of the above.
        Unknown = "UNKNOWN",
    }

    /// How a command ended.
    CommandResult {
        /// It took effect.
        Done = "DONE",
        /// It had taken effect before; the receipt was given again.
        Replayed = "REPLAYED",
        /// A rule refused it.
        Refused = "REFUSED",
        /// What it read had changed too often.
        Conflict = "CONFLICT",
        /// The store did not answer; nothing was written.
        Unavailable = "UNAVAILABLE",
        /// The store did not answer; it may have been written.
        Unknown = "UNKNOWN",
        /// A fault of the service or of its data.
        Failed = "FAILED",
    }

    /// Which engine keeps the state.
    StoreKind {
        /// One file, no other program.
        Embedded = "EMBEDDED",
        /// Redis.
        Redis = "REDIS",
    }

    /// How one commit ended.
    CommitResult {
        /// Written, or answered from its receipt.
        Done = "DONE",
        /// A guard failed.
        Conflict = "CONFLICT",
        /// The instant was too far from the store's.
        Clock = "CLOCK",
        /// Not written: unavailable, fenced or malformed.
        Failed = "FAILED",
        /// No answer: it may have been written.
        Unknown = "UNKNOWN",
    }

    /// Why a commit was tried again.
    RetryReason {
        /// What it had read had changed.
        Conflict = "CONFLICT",
        /// The store's clock had moved on.
        Clock = "CLOCK",
        /// The store did not answer.
        Unavailable = "UNAVAILABLE",
    }

    /// How an offer ended, or that it was made.
    OfferOutcome {
        /// Put to a responder.
        Made = "MADE",
        /// Taken.
        Accepted = "ACCEPTED",
        /// Refused with a reason.
        Declined = "DECLINED",
        /// No answer in time.
        Expired = "EXPIRED",
        /// Withdrawn.
        Cancelled = "CANCELLED",
    }
}
