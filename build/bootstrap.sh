#!/bin/sh
# Brings a machine to the point where `make PURPOSE` can work, and builds the host tool. Usage: bootstrap.sh PURPOSE
#
# What is missing is installed with apt-get, said before it is done and without a question; without apt, or without the
# right to use it, the script ends with the list of what is missing.
set -eu

# Variables that other projects need have no say here.
unset CDPATH RUSTFLAGS CARGO_INCREMENTAL RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER
for name in $(env | sed -n 's/^\(CARGO_\(BUILD\|PROFILE\|TARGET\|UNSTABLE\)_[A-Za-z0-9_]*\)=.*/\1/p'); do
    unset "$name"
done
# Said empty, it overrides flags in a configuration of cargo's above the checkout.
export CARGO_ENCODED_RUSTFLAGS=

cd "$(dirname "$0")/.."
purpose=${1:-build}
pin=1.96.0

# version_at_least HAVE WANT: compares dotted numbers.
version_at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -t. -k1,1n -k2,2n -k3,3n | head -n1)" = "$2" ]
}

# toolchain_fits CARGO RUSTC: new enough, of the same version, and with the library sources that -Zbuild-std needs.
toolchain_fits() {
    [ -x "$1" ] && [ -x "$2" ] || return 1
    cargo_version=$("$1" --version 2>/dev/null | cut -d' ' -f2 | cut -d- -f1)
    rustc_version=$("$2" --version 2>/dev/null | cut -d' ' -f2 | cut -d- -f1)
    [ -n "$cargo_version" ] && [ "$cargo_version" = "$rustc_version" ] || return 1
    version_at_least "$cargo_version" "$pin" || return 1
    [ -f "$("$2" --print sysroot)/lib/rustlib/src/rust/library/core/src/lib.rs" ]
}

# Sets cargo and rustc to the pinned toolchain: Debian's own, or rustup's.
find_toolchain() {
    cargo=/usr/bin/cargo rustc=/usr/bin/rustc
    toolchain_fits "$cargo" "$rustc" && return 0
    command -v rustup >/dev/null 2>&1 || return 1
    cargo=$(rustup which --toolchain "$pin" cargo 2>/dev/null) || return 1
    rustc=$(rustup which --toolchain "$pin" rustc 2>/dev/null) || return 1
    toolchain_fits "$cargo" "$rustc"
}

# Appends to `packages` and `words` when the program is not there. need PROGRAM PACKAGE[, WHAT ELSE HELPS]
need() {
    command -v "$1" >/dev/null 2>&1 && return 0
    packages="$packages ${2%%,*}"
    words="$words
  $1 (Debian package $2)"
}

find_missing() {
    packages= words=
    if ! find_toolchain; then
        packages="$packages cargo-web rustc-web rust-web-src rustfmt-web rust-web-clippy"
        words="$words
  cargo and rustc $pin or newer with the library sources (Debian packages cargo-web rustc-web rust-web-src,
    or: rustup toolchain install $pin --component rust-src --component clippy --component rustfmt)"
    fi
    need cc gcc
    case $purpose in
    run | demo | bench | test) need qemu-system-x86_64 qemu-system-x86 ;;
    esac
    case $purpose in
    test | iso)
        need grub-mkrescue grub-common
        need xorriso xorriso
        need mformat mtools
        if [ ! -d /usr/lib/grub/i386-pc ]; then
            packages="$packages grub-pc-bin"
            words="$words
  GRUB's modules for the PC BIOS (Debian package grub-pc-bin)"
        fi
        ;;
    esac
    case $purpose in
    lint | fmt)
        # They must be of the same toolchain as cargo.
        need "$(dirname "$cargo")/cargo-clippy" "rust-web-clippy, or: rustup component add clippy"
        need "$(dirname "$cargo")/cargo-fmt" "rustfmt-web, or: rustup component add rustfmt"
        ;;
    esac
    [ -z "$packages" ]
}

give_up() {
    echo "mitos: $1; missing:$words" >&2
    exit 1
}

install_missing() {
    command -v apt-get >/dev/null 2>&1 || give_up "this machine has no apt-get, so nothing can be installed for you"
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        give_up "apt-get needs root (and sudo would ask for a password): run  apt-get install$packages"
    fi
    echo "mitos: installing$packages"
    mkdir -p target/logs
    log=target/logs/apt.log
    export DEBIAN_FRONTEND=noninteractive
    # A source that cannot be reached is not always the one that is needed: installing decides.
    $as_root apt-get update >"$log" 2>&1 </dev/null || echo "mitos: apt-get update met errors (log: $log)"
    # shellcheck disable=SC2086 # a list of words on purpose
    replaced=$(apt-get install --simulate --no-install-recommends $packages 2>/dev/null | awk '/^Remv/ { printf " %s", $2 }')
    [ -z "$replaced" ] || echo "mitos: these packages take the place of$replaced"
    # shellcheck disable=SC2086
    $as_root apt-get install --yes --no-install-recommends $packages >>"$log" 2>&1 </dev/null || {
        tail -n 20 "$log" >&2
        give_up "apt-get failed (log: $log)"
    }
}

if ! find_missing; then
    install_missing
    find_missing || give_up "installed, but still not usable"
fi

# The tool itself is an ordinary program for the host. With everything fetched once, cargo does not touch the network.
RUSTC=$rustc "$cargo" build --quiet --release --locked --manifest-path tools/Cargo.toml --target-dir target/tools \
    --config "build.build-dir='target/tools'" --bin mitos
