//! The access log and the debug log of a web server: formats, fields and rotation as values.

use std::fmt;

/// What a web server writes of its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebLogs {
    /// `logRecording`: how the access log is written; none writes none.
    pub format: Option<AccessFormat>,
    /// `[weblog] fields`: the fields of ELF and WLF in their order, at least one, each once.
    pub fields: Vec<AccessField>,
    /// `[weblog] rotation`: when the access log goes into the archive.
    pub rotation: Rotation,
    /// `[weblog] keep`: the newest archives, and the newest debug logs, that are kept; 0 keeps all.
    pub keep: u32,
    /// `debugLog`: what the debug log has; none writes none.
    pub debug: Option<DebugLevel>,
    /// `[weblog] mask_secrets`: whether the debug log hides credentials and cookies.
    pub mask_secrets: bool,
}

/// The formats of the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessFormat {
    /// 1: Common Log Format.
    Clf,
    /// 2: CLF with Referer and User-Agent.
    Dlf,
    /// 3: the W3C's Extended Log Format.
    Elf,
    /// 4: WebStar Log Format.
    Wlf,
    /// 5: a JSON object in each line.
    Json,
}

impl AccessFormat {
    pub(super) fn of_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Clf,
            2 => Self::Dlf,
            3 => Self::Elf,
            4 => Self::Wlf,
            5 => Self::Json,
            _ => return None,
        })
    }
}

/// Which bodies the debug log has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DebugLevel {
    /// Those of requests: bit 2 of `debugLog`.
    pub requests: bool,
    /// Those of responses: bit 1.
    pub responses: bool,
}

impl DebugLevel {
    pub(super) fn of_number(number: u8) -> Option<Self> {
        (number & 1 != 0).then_some(Self {
            requests: number & 4 != 0,
            responses: number & 2 != 0,
        })
    }
}

/// A field of ELF and WLF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the documents")]
pub enum AccessField {
    BytesReceived,
    BytesSent,
    ClientDns,
    ClientIp,
    ConnectionId,
    Cookie,
    Host,
    Referer,
    UserAgent,
    ServerIp,
    Uri,
    UriQuery,
    UriStem,
    Date,
    Method,
    PathArgs,
    Status,
    Time,
    TransferTime,
    User,
    Url,
}

impl AccessField {
    /// Each field as the settings write it, and as the W3C does, in the order of the documents.
    const ALL: [(Self, &'static str, &'static str); 21] = [
        (Self::BytesReceived, "BYTES_RECEIVED", "cs-bytes"),
        (Self::BytesSent, "BYTES_SENT", "sc-bytes"),
        (Self::ClientDns, "C_DNS", "c-dns"),
        (Self::ClientIp, "C_IP", "c-ip"),
        (Self::ConnectionId, "CONNECTION_ID", "x-connection-id"),
        (Self::Cookie, "CS(COOKIE)", "cs(Cookie)"),
        (Self::Host, "CS(HOST)", "cs(Host)"),
        (Self::Referer, "CS(REFERER)", "cs(Referer)"),
        (Self::UserAgent, "CS(USER_AGENT)", "cs(User-Agent)"),
        (Self::ServerIp, "CS_SIP", "s-ip"),
        (Self::Uri, "CS_URI", "cs-uri"),
        (Self::UriQuery, "CS_URI_QUERY", "cs-uri-query"),
        (Self::UriStem, "CS_URI_STEM", "cs-uri-stem"),
        (Self::Date, "DATE", "date"),
        (Self::Method, "METHOD", "cs-method"),
        (Self::PathArgs, "PATH_ARGS", "x-path-args"),
        (Self::Status, "STATUS", "sc-status"),
        (Self::Time, "TIME", "time"),
        (Self::TransferTime, "TRANSFER_TIME", "time-taken"),
        (Self::User, "USER", "cs-username"),
        (Self::Url, "URL", "x-url"),
    ];

    /// What is logged where nothing else is chosen.
    pub(super) const STANDARD: [Self; 13] = [
        Self::Date,
        Self::Time,
        Self::ClientIp,
        Self::User,
        Self::Method,
        Self::UriStem,
        Self::UriQuery,
        Self::Status,
        Self::BytesSent,
        Self::TransferTime,
        Self::Host,
        Self::UserAgent,
        Self::Referer,
    ];

    fn names(self) -> (&'static str, &'static str) {
        let found = Self::ALL.iter().find(|(field, ..)| *field == self);
        found.map_or(("", ""), |(_, token, w3c)| (token, w3c))
    }

    /// As the settings write it: `CS(HOST)`.
    pub fn token(self) -> &'static str {
        self.names().0
    }

    /// As the W3C writes it: `cs(Host)`.
    pub fn w3c(self) -> &'static str {
        self.names().1
    }

    /// All tokens.
    pub(super) fn tokens() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(_, token, _)| *token)
    }

    pub(super) fn of_token(text: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, token, _)| *token == text);
        found.map(|(field, ..)| *field)
    }

    /// Whether ELF does not have it.
    pub(super) fn is_of_wlf(self) -> bool {
        matches!(
            self,
            Self::BytesReceived | Self::ConnectionId | Self::PathArgs | Self::Url
        )
    }
}

/// When a file goes into the archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    /// Never.
    #[default]
    Never,
    /// When it has so many bytes.
    Size(u64),
    /// Every so many hours, from 1 to 24, counted from a time of each day.
    Hours(u8, TimeOfDay),
    /// Every so many days.
    Days(u16, TimeOfDay),
    /// Every so many weeks.
    Weeks(u16, Weekdays, TimeOfDay),
    /// Every so many months, on a day of the month; on the last one where the month has no such day.
    Months(u16, u8, TimeOfDay),
}

/// Local time, to the minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeOfDay {
    /// 0 to 23.
    pub hour: i8,
    /// 0 to 59.
    pub minute: i8,
}

impl TimeOfDay {
    fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let number = |text: &str| {
            let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            is_plain.then(|| text.parse::<i8>().ok())?
        };
        let (hour, minute) = (number(hour)?, number(minute)?);
        (hour < 24 && minute < 60).then_some(Self { hour, minute })
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

/// Days of the week, at least one: bit 0 is Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weekdays(u8);

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Weekdays {
    fn parse(text: &str) -> Option<Self> {
        let mut bits = 0;
        for name in text.split(',') {
            let index = WEEKDAYS
                .iter()
                .position(|day| day.eq_ignore_ascii_case(name));
            bits |= 1 << index?;
        }
        Some(Self(bits))
    }

    /// Whether a day is one of them; 0 is Monday.
    pub fn has(self, day: i8) -> bool {
        (0..7).contains(&day) && self.0 >> day & 1 != 0
    }
}

impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = WEEKDAYS.iter().zip(0..).filter(|(_, day)| self.has(*day));
        let names: Vec<&str> = days.map(|(name, _)| *name).collect();
        f.write_str(&names.join(","))
    }
}

const MEGABYTE: u64 = 1_000_000;
/// Most days, weeks or months between two rotations.
const COUNT_MAX: u16 = 999;

impl Rotation {
    /// What a text may be.
    pub(super) const GRAMMAR: &'static str = "\"\" for never, \"every 6 hours from 00:30\" (1 to 24), \"every 1 days at 03:00\", \
         \"every 2 weeks on Mon,Thu at 03:00\", \"every 1 months on 31 at 03:00\" or \"every 100 MB\" (1, 10, 100 or 1000)";

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        let count = |text: &str| {
            text.parse::<u16>()
                .ok()
                .filter(|n| (1..=COUNT_MAX).contains(n))
        };
        Some(match words[..] {
            [""] => Self::Never,
            ["every", count @ ("1" | "10" | "100" | "1000"), "MB"] => {
                Self::Size(count.parse::<u64>().ok()? * MEGABYTE)
            }
            ["every", hours, "hour" | "hours", "from", time] => {
                let hours = hours.parse().ok().filter(|n| (1..=24).contains(n))?;
                Self::Hours(hours, TimeOfDay::parse(time)?)
            }
            ["every", days, "day" | "days", "at", time] => {
                Self::Days(count(days)?, TimeOfDay::parse(time)?)
            }
            ["every", weeks, "week" | "weeks", "on", days, "at", time] => Self::Weeks(
                count(weeks)?,
                Weekdays::parse(days)?,
                TimeOfDay::parse(time)?,
            ),
            ["every", months, "month" | "months", "on", day, "at", time] => {
                let day = day.parse().ok().filter(|day| (1..=31).contains(day))?;
                Self::Months(count(months)?, day, TimeOfDay::parse(time)?)
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => Ok(()),
            Self::Size(bytes) => write!(f, "every {} MB", bytes / MEGABYTE),
            Self::Hours(hours, time) => write!(f, "every {hours} hours from {time}"),
            Self::Days(days, time) => write!(f, "every {days} days at {time}"),
            Self::Weeks(weeks, days, time) => write!(f, "every {weeks} weeks on {days} at {time}"),
            Self::Months(months, day, time) => {
                write!(f, "every {months} months on {day} at {time}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_is_written_as_it_is_read() {
        for text in [
            "",
            "every 24 hours from 00:30",
            "every 1 days at 03:00",
            "every 2 weeks on Mon,Sun at 23:59",
            "every 1 months on 31 at 00:00",
            "every 1000 MB",
        ] {
            let rotation = Rotation::parse(text).unwrap();
            assert_eq!(rotation.to_string(), text);
        }
        let lenient = Rotation::parse("every 1 week on sun,mon at 01:00").unwrap();
        assert_eq!(lenient.to_string(), "every 1 weeks on Mon,Sun at 01:00");
        for text in [
            "every 25 hours from 00:00",
            "every 0 days at 03:00",
            "every 1 days at 24:00",
            "every 1 days at 3:00",
            "every 1 weeks on at 03:00",
            "every 1 weeks on Mon,, at 03:00",
            "every 1 months on 32 at 03:00",
            "every 2 MB",
            "every  1 days at 03:00",
            "daily",
            "every 1000 days at 03:00",
        ] {
            assert_eq!(Rotation::parse(text), None, "{text}");
        }
    }
}
