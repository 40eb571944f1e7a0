//! The content codings: what each is called, and how hard each works at a level of ours.

use std::pin::Pin;

use ::http::header::CONTENT_ENCODING;
use ::http::{HeaderMap, HeaderValue};
use async_compression::Level;
use async_compression::brotli::EncoderParams;
use async_compression::tokio::bufread::{
    BrotliDecoder, BrotliEncoder, GzipDecoder, GzipEncoder, ZstdDecoder, ZstdEncoder,
};
use async_compression::zstd::{CParameter, DParameter};
use tokio::io::{AsyncBufRead, AsyncRead};

/// Largest window of an encoder, as a power of two: half a MiB. More would compress a few large texts slightly better, and
/// be held for every one of them that is on its way.
const WINDOW_LOG_MAX: u32 = 19;
/// Smallest one: what the coders need at least anyhow.
const WINDOW_LOG_MIN: u32 = 16;
/// Largest window that a request's zstd body may ask us to keep: 8 MiB, what RFC 9659 has all receivers take.
const DECODER_WINDOW_LOG_MAX: u32 = 23;

/// A way to compress what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 8878.
    Zstd,
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

/// A request is compressed in a way that is not known here, or more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCoding;

impl Coding {
    /// The one that is taken first when a client likes several alike: everything is compressed while the client waits, and
    /// at the same time spent zstd makes texts as small as br does, and both smaller than gzip.
    pub const BY_PREFERENCE: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    /// All of them as a field's value.
    pub const LIST: HeaderValue = HeaderValue::from_static("zstd, br, gzip");

    /// Its name in HTTP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Its name, as a field's value.
    pub fn token(self) -> HeaderValue {
        HeaderValue::from_static(self.name())
    }

    /// What the name of a file ends in that holds another's content in this coding.
    pub fn extension(self) -> &'static [u8] {
        match self {
            Self::Zstd => b".zst",
            Self::Brotli => b".br",
            Self::Gzip => b".gz",
        }
    }

    /// The coding of a name.
    pub fn of_token(token: &str) -> Option<Self> {
        let names = [
            ("zstd", Self::Zstd),
            ("br", Self::Brotli),
            ("gzip", Self::Gzip),
            // RFC 9110, section 8.4.1.3: the same.
            ("x-gzip", Self::Gzip),
        ];
        let is_it = |(name, _): &&(&str, Self)| token.eq_ignore_ascii_case(name);
        names.iter().find(is_it).map(|(_, coding)| *coding)
    }

    /// How a body is compressed, by its head.
    ///
    /// # Errors
    ///
    /// When that is not known here.
    pub fn of_body(headers: &HeaderMap) -> Result<Option<Self>, UnknownCoding> {
        let mut coding = None;
        for value in headers.get_all(CONTENT_ENCODING) {
            let value = value.to_str().map_err(|_| UnknownCoding)?;
            for token in value.split(',').map(str::trim) {
                if token.is_empty() || token.eq_ignore_ascii_case("identity") {
                    continue;
                }
                let named = Self::of_token(token).ok_or(UnknownCoding)?;
                // Twice is nobody's honest wish, and multiplies what a small body can grow to.
                if coding.replace(named).is_some() {
                    return Err(UnknownCoding);
                }
            }
        }
        Ok(coding)
    }

    /// Compresses what `source` has. `level` is from 1 to 9, none a compromise; `length`, in bytes, saves memory.
    pub(super) fn encoder(
        self,
        level: Option<u8>,
        length: Option<u64>,
        source: impl AsyncBufRead + Send + 'static,
    ) -> Pin<Box<dyn AsyncRead + Send>> {
        let window = window_log(length);
        let quality = Level::Precise(self.quality(level));
        match self {
            Self::Zstd => {
                let window = [CParameter::window_log(window)];
                Box::pin(ZstdEncoder::with_quality_and_params(
                    source, quality, &window,
                ))
            }
            Self::Brotli => {
                let hint = length.and_then(|length| usize::try_from(length).ok());
                let params = EncoderParams::default()
                    .quality(quality)
                    .window_size(window.cast_signed())
                    .size_hint(hint.unwrap_or_default());
                Box::pin(BrotliEncoder::with_params(source, params))
            }
            Self::Gzip => Box::pin(GzipEncoder::with_quality(source, quality)),
        }
    }

    /// Decompresses what `source` has.
    pub(super) fn decoder(
        self,
        source: impl AsyncBufRead + Send + 'static,
    ) -> Pin<Box<dyn AsyncRead + Send>> {
        match self {
            Self::Zstd => {
                let window = [DParameter::window_log_max(DECODER_WINDOW_LOG_MAX)];
                let mut decoder = ZstdDecoder::with_params(source, &window);
                // Both formats are defined as one or more frames, or members, in a row.
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
            Self::Brotli => Box::pin(BrotliDecoder::new(source)),
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(source);
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
        }
    }

    /// The coder's own quality. zstd and gzip count as we do. br ends at 6: from 7 on each response would take 8 MiB and
    /// more for little that is gained.
    fn quality(self, level: Option<u8>) -> i32 {
        match (self, level) {
            (Self::Zstd, None) => 3,
            (Self::Brotli, None) => 4,
            (Self::Gzip, None) => 6,
            (Self::Brotli, Some(level)) => match level {
                0..=2 => 1,
                3 => 2,
                4 => 3,
                5 | 6 => 4,
                7 | 8 => 5,
                _ => 6,
            },
            (_, Some(level)) => i32::from(level.clamp(1, 9)),
        }
    }
}

fn window_log(length: Option<u64>) -> u32 {
    let fitting = length
        .and_then(u64::checked_next_power_of_two)
        .map_or(WINDOW_LOG_MAX, u64::ilog2);
    fitting.clamp(WINDOW_LOG_MIN, WINDOW_LOG_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_compressed_once_or_not_at_all() {
        for (fields, expected) in [
            (&[][..], Ok(None)),
            (&["gzip"], Ok(Some(Coding::Gzip))),
            (&["X-GZIP"], Ok(Some(Coding::Gzip))),
            (&[" br "], Ok(Some(Coding::Brotli))),
            (&["zstd"], Ok(Some(Coding::Zstd))),
            (&["identity"], Ok(None)),
            (&["identity, gzip"], Ok(Some(Coding::Gzip))),
            (&["", "gzip"], Ok(Some(Coding::Gzip))),
            (&["gzip, gzip"], Err(UnknownCoding)),
            (&["gzip", "br"], Err(UnknownCoding)),
            (&["deflate"], Err(UnknownCoding)),
            (&["gzip;q=1"], Err(UnknownCoding)),
        ] {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(CONTENT_ENCODING, field.parse().unwrap());
            }
            assert_eq!(Coding::of_body(&headers), expected, "{fields:?}");
        }
    }

    #[test]
    fn windows_fit_what_is_compressed() {
        for (length, expected) in [
            (None, 19),
            (Some(1), 16),
            (Some(65_536), 16),
            (Some(65_537), 17),
            (Some(u64::MAX), 19),
        ] {
            assert_eq!(window_log(length), expected, "{length:?}");
        }
    }
}
