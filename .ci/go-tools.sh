#!/usr/bin/env bash
# go-tools.sh BIN: the current nats-server and the nats CLI, built from Go's module proxy into BIN. Kept there for later runs.
set -euo pipefail
bin=$1
export PATH="$PATH:/usr/local/go/bin" GOBIN="$bin" GOFLAGS=-trimpath CGO_ENABLED=0
[ -x "$bin/nats-server" ] || go install github.com/nats-io/nats-server/v2@latest
[ -x "$bin/nats" ] || go install github.com/nats-io/natscli/nats@latest
"$bin/nats-server" --version
"$bin/nats" --version
