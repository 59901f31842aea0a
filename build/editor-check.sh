#!/bin/sh
# Type-checks all sources as the build does, for an editor: cargo's messages go to the output, everything else elsewhere.
set -eu

cd "$(dirname "$0")/.."
sh build/bootstrap.sh build >&2
exec target/tools/release/mitos check
