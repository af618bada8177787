#!/usr/bin/env bash
# An image with Debian's nats-server, and a Docker-compatible API for testcontainers, without a registry: podman over runc, everything from packages.
# Idempotent. Prints the environment that the tests need; use as: eval "$(.ci/podman-nats.sh)"
set -euo pipefail
image=localhost/nats:ci
socket=/run/podman/podman.sock

if ! podman --runtime runc image exists "$image" 2>/dev/null; then
  root=$(mktemp -d /tmp/polaron-image.XXXXXX)
  trap 'rm -rf "$root"' EXIT
  mkdir -p "$root/usr/sbin" "$root/bin" "$root/etc" "$root/tmp" "$root/usr/share"
  server=/usr/sbin/nats-server
  cp "$server" "$root/usr/sbin/nats-server"
  # What the binary is linked with, if anything, at the same paths.
  { ldd "$server" 2>/dev/null | grep -oE '/[^ ]+' || true; } | sort -u | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
  done
  # testcontainers looks at ports from inside with a shell.
  if [ -x /bin/busybox ]; then
    cp /bin/busybox "$root/bin/busybox"
    for name in sh cat nc ls; do ln -sf busybox "$root/bin/$name"; done
  fi
  chmod 1777 "$root/tmp"
  tar -C "$root" -c . | podman --runtime runc import \
    --change 'ENTRYPOINT ["/usr/sbin/nats-server"]' --change 'EXPOSE 4222' - "$image" >&2
fi

alive() { [ -S "$socket" ] && DOCKER_HOST=unix://$socket podman --remote --url "unix://$socket" version >/dev/null 2>&1; }
if ! alive; then
  mkdir -p "$(dirname "$socket")"
  rm -f "$socket"
  # Not in a folder that may go while it runs: it couldn't start a container any more.
  (cd / && exec nohup podman --runtime runc system service --time=0 "unix://$socket" >/tmp/polaron-podman.log 2>&1 </dev/null) &
  disown
  for _ in $(seq 100); do
    alive && break
    sleep 0.1
  done
  alive || { cat /tmp/polaron-podman.log >&2; exit 1; }
fi

cat <<ENV
export DOCKER_HOST=unix://$socket
export TESTCONTAINERS_RYUK_DISABLED=true
export POLARON_NATS_IMAGE=$image
ENV
