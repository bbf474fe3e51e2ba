#!/bin/sh
# Install what builds Python packages from their source code: `sh compiler.sh [PACKAGE OF UBUNTU …]`.
set -eu

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install --yes -qq --no-install-recommends \
    gcc g++ make libc6-dev python3.7-dev libffi-dev libssl-dev pkg-config "$@" >/dev/null
