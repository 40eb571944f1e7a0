#!/usr/bin/env bash
# Makes sure that this machine can compile Rust for wasm32-wasip2, and says with which compiler.
#
# stdout: the path of the rustc to build guests with, or nothing if the one in PATH has the target.
# stderr: what is being done.
#
# The ways, in order; the first that works is taken:
#   1. the standard library of the target is already there;
#   2. `rustup target add`, under a deadline, for a machine may reach package registries and nothing else;
#   3. Debian's (or Ubuntu's) packages of rustc, its source and a WASI libc: the standard library is compiled from that
#      source, once, into a private sysroot. Nothing of rustup's or Debian's own files is changed.
#
# Environment:
#   TESSERA_WASIP2        auto (default), rustup (never 3) or apt (only 3)
#   TESSERA_WASIP2_DIR    where the private sysroot lives (default: ~/.cache/tessera/wasip2)
#   TESSERA_RUSTUP_TIMEOUT  seconds that rustup may take (default: 300)
set -euo pipefail

target=wasm32-wasip2
way=${TESSERA_WASIP2:-auto}
started=$SECONDS

say() { printf '  %s\n' "$*" >&2; }
fail() { printf '  %s\n' "$@" >&2; exit 1; }

# Not every system has coreutils' timeout; there the deadline is the user's patience.
limited() {
  if command -v timeout >/dev/null; then timeout "$@"; else shift; "$@"; fi
}

# Whether the compiler $1 finds a standard library for the target.
has_target() {
  local libraries
  libraries=$("$1" --print target-libdir --target "$target" 2>/dev/null) || return 1
  compgen -G "$libraries/libstd-*.rlib" >/dev/null
}

case $way in
  auto | rustup | apt) ;;
  *) fail "TESSERA_WASIP2=$way: it is one of auto, rustup, apt" ;;
esac

# --- 1 and 2: the compiler in PATH -----------------------------------------------------------------------------------

if [ "$way" != apt ]; then
  if command -v rustc >/dev/null && has_target rustc; then
    say "$target: present in $(rustc --print sysroot)"
    exit 0
  fi
  if command -v rustup >/dev/null; then
    say "$target: rustup target add"
    if limited "${TESSERA_RUSTUP_TIMEOUT:-300}" rustup target add "$target" </dev/null >&2 && has_target rustc; then
      say "$target: installed by rustup ($((SECONDS - started)) s)"
      exit 0
    fi
    say "$target: rustup could not install it"
  fi
  [ "$way" = auto ] || fail "TESSERA_WASIP2=rustup: there is no other way to try"
fi

# --- 3: Debian's packages --------------------------------------------------------------------------------------------

case $(uname -m) in
  x86_64) host=x86_64-unknown-linux-gnu ;;
  aarch64) host=aarch64-unknown-linux-gnu ;;
  *) fail "$target: no packages known for $(uname -m); install rustup, then: rustup target add $target" ;;
esac
tools=/usr/lib/rustlib/$host

packages_present() {
  [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && [ -x /usr/bin/rust-lld ] \
    && [ -d /usr/lib/rustlib/src/rust/library/std ] && [ -e /usr/lib/wasm32-wasi/libc.a ] \
    && [ -x "$tools/bin/wasm-component-ld" ]
}

install_packages() {
  command -v apt-get >/dev/null || fail "$target: no apt-get here; install rustup, then: rustup target add $target"
  local root='' llvm output
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "$target: installing Debian's packages needs root or sudo"
    root=sudo
  fi
  say "$target: installing Debian's rustc-web, its source and wasi-libc"
  $root apt-get update -qq </dev/null >&2 || say "apt-get update failed; going on with the lists at hand"
  # The linker has to be the one of the LLVM that this rustc was built with.
  llvm=$(apt-cache depends rust-web-llvm | sed -n 's/.*Depends: llvm-\([0-9]*\).*/\1/p' | head -n 1)
  # What apt has to say is only worth reading when it fails.
  if ! output=$($root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    rustc-web cargo-web rust-web-src rust-web-llvm "lld-$llvm" wasi-libc </dev/null 2>&1); then
    printf '%s\n' "$output" >&2
    fail "$target: the packages could not be installed; install rustup, then: rustup target add $target"
  fi
  packages_present || fail "$target: the packages are installed, but not all of their files are where they were expected"
}

# Compiles std from Debian's source into $1, a directory laid out as a rustc sysroot, by way of the scratch directory $2.
build_sysroot() {
  local new=$1.new scratch=$2 libraries
  mkdir "$scratch/src"
  : >"$scratch/src/lib.rs"
  cat >"$scratch/Cargo.toml" <<'MANIFEST'
[package]
name = "empty"
version = "0.0.0"
edition = "2021"
[profile.release]
opt-level = 3
debug = false
[workspace]
MANIFEST
  # RUSTC_BOOTSTRAP: building std is an unstable feature of Cargo. Bitcode: guests are linked with lto = true.
  # What std depends on is vendored in Debian's source, so no network is needed.
  (
    cd "$scratch"
    env -u RUSTC_WRAPPER -u RUSTC_WORKSPACE_WRAPPER -u RUSTUP_TOOLCHAIN -u CARGO_BUILD_TARGET \
      RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc CARGO_TARGET_DIR="$scratch/target" RUSTFLAGS=-Cembed-bitcode=yes \
      /usr/bin/cargo build --quiet --release --target "$target" -Zbuild-std=std,panic_abort,panic_unwind </dev/null >&2
  )
  rm -rf "$new"
  libraries=$new/lib/rustlib/$target/lib
  mkdir -p "$new/bin" "$libraries/self-contained" "$new/lib/rustlib/$host/bin/gcc-ld"
  find "$scratch/target/$target" -name '*.rlib' ! -name 'libempty*' -exec cp -t "$libraries" {} +
  cp /usr/lib/wasm32-wasi/{crt1-command.o,crt1-reactor.o,libc.a} "$libraries/self-contained/"
  # The host's own libraries and tools, for build scripts and macros and for linking.
  ln -s "$tools/lib" "$new/lib/rustlib/$host/lib"
  cp "$tools/bin/wasm-component-ld" "$new/lib/rustlib/$host/bin/"
  ln -s /usr/bin/rust-lld "$new/lib/rustlib/$host/bin/rust-lld"
  printf '#!/bin/sh\nexec /usr/bin/rust-lld -flavor wasm "$@"\n' >"$new/lib/rustlib/$host/bin/gcc-ld/wasm-ld"
  printf '#!/bin/sh\nexec /usr/bin/rustc --sysroot "%s" "$@"\n' "$1" >"$new/bin/rustc"
  chmod +x "$new/lib/rustlib/$host/bin/gcc-ld/wasm-ld" "$new/bin/rustc"
  # Moved into place whole: a sysroot without its mark was interrupted and is built again.
  rm -rf "$1"
  mv "$new" "$1"
  touch "$1/.complete"
}

packages_present || install_packages

release=$(/usr/bin/rustc -vV | sed -n 's/^release: //p')
cache=${TESSERA_WASIP2_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/tessera/wasip2}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
sysroot=$cache/sysroot-$release

if [ ! -e "$sysroot/.complete" ]; then
  say "$target: compiling the standard library with Debian's rustc $release (once, about a minute)"
  scratch=$(mktemp -d "$cache/build.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  build_sysroot "$sysroot" "$scratch"
fi
has_target "$sysroot/bin/rustc" || fail "$target: the sysroot $sysroot is broken; remove it and try again"
say "$target: Debian's rustc $release with $sysroot ($((SECONDS - started)) s)"
printf '%s\n' "$sysroot/bin/rustc"
