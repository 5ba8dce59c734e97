#!/bin/sh
# Install what tests/browser needs, on Debian or Ubuntu, as root.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install --yes --quiet --no-install-recommends chromium fonts-dejavu-core
