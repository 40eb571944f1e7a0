//! Handles that are taken and never given back.

wit_bindgen::generate!({
    inline: "
        package tessera:hostile;

        world leaky {
            import wasi:clocks/monotonic-clock@0.2.0;
        }

        package wasi:clocks@0.2.0 {
            interface monotonic-clock {
                use wasi:io/poll@0.2.0.{pollable};
                type instant = u64;
                type duration = u64;
                now: func() -> instant;
                resolution: func() -> duration;
                subscribe-instant: func(when: instant) -> pollable;
                subscribe-duration: func(when: duration) -> pollable;
            }
        }

        package wasi:io@0.2.0 {
            interface poll {
                resource pollable {
                    ready: func() -> bool;
                    block: func();
                }
                poll: func(in: list<borrow<pollable>>) -> list<u32>;
            }
        }
    ",
    generate_all,
});

/// Takes one handle after the other.
pub(crate) fn handles() {
    loop {
        std::mem::forget(wasi::clocks::monotonic_clock::subscribe_duration(1));
    }
}
