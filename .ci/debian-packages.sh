#!/usr/bin/env bash
# Debian's packages that the tests use for real. Does nothing when all of them are there.
set -euo pipefail
packages=(
  nats-server
  podman runc containernetworking-plugins busybox-static
  python3 python3-numpy python3-venv
  strace graphviz git ca-certificates
  task-spooler
  iproute2
  systemd
  openssh-client openssh-server
  slurm-wlm munge
)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
apt-get update -q
apt-get install -q -y --no-install-recommends "${missing[@]}"
# The tests start their own servers.
if command -v systemctl >/dev/null 2>&1 && [[ " ${missing[*]} " == *" openssh-server "* ]]; then systemctl disable --now ssh >/dev/null 2>&1 || true; fi
if command -v systemctl >/dev/null 2>&1; then systemctl disable --now nats-server >/dev/null 2>&1 || true; fi
