#!/usr/bin/env bash
# Images and a Docker-compatible API, without a registry: podman over runc, everything from packages. Images: one with Debian's nats-server for testcontainers; for the executor "container" one
# with a shell and Python, and one with nothing but glibc.
# Idempotent. Prints the environment that the tests need; use as: eval "$(.ci/podman-nats.sh)"
set -euo pipefail
image=localhost/nats:ci
shell_image=localhost/polaron-shell:ci
libc_image=localhost/polaron-libc:ci
socket=/run/podman/podman.sock

missing() { ! podman --runtime runc image exists "$1" 2>/dev/null; }
root=
trap 'rm -rf "$root"' EXIT
new_root() {
  rm -rf "$root"
  root=$(mktemp -d /tmp/polaron-image.XXXXXX)
}
# What these binaries are linked with, if anything, at the same paths.
copy_libraries() {
  { ldd "$@" 2>/dev/null | grep -oE '/[^ :]+' || true; } | sort -u | while read -r library; do
    [ -e "$root$library" ] && continue
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
  done
}

if missing "$image"; then
  new_root
  mkdir -p "$root/usr/sbin" "$root/bin" "$root/etc" "$root/tmp" "$root/usr/share"
  server=/usr/sbin/nats-server
  cp "$server" "$root/usr/sbin/nats-server"
  copy_libraries "$server"
  # testcontainers looks at ports from inside with a shell.
  if [ -x /bin/busybox ]; then
    cp /bin/busybox "$root/bin/busybox"
    for name in sh cat nc ls; do ln -sf busybox "$root/bin/$name"; done
  fi
  chmod 1777 "$root/tmp"
  tar -C "$root" -c . | podman --runtime runc import \
    --change 'ENTRYPOINT ["/usr/sbin/nats-server"]' --change 'EXPOSE 4222' - "$image" >&2
fi

# glibc: what is in all images that Node.js runs in.
if missing "$libc_image"; then
  new_root
  mkdir -p "$root/usr/lib" "$root/lib64" "$root/etc"
  ln -s usr/lib "$root/lib"
  libc=$(ldd /usr/bin/python3 | grep -oE '/[^ ]+/libc\.so\.6')
  copy_libraries /usr/bin/python3
  find "$root" -name '*.so*' -not -name 'ld-*' -not -name 'libc.so*' -not -name 'libm.so*' -delete
  for name in libdl.so.2 libpthread.so.0 librt.so.1; do cp -L "$(dirname "$libc")/$name" "$root$(dirname "$libc")/"; done
  tar -C "$root" -c . | podman --runtime runc import - "$libc_image" >&2
fi

if missing "$shell_image"; then
  new_root
  mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/lib64" "$root/etc" "$root/tmp" "$root/root"
  ln -s usr/lib "$root/lib"
  ln -s usr/bin "$root/bin"
  chmod 1777 "$root/tmp"
  python=$(readlink -f /usr/bin/python3)
  library=/usr/lib/$(basename "$python")
  cp "$python" "$root/usr/bin/python3"
  cp "$(command -v node)" "$root/usr/bin/node"
  copy_libraries "$python" "$(command -v node)" "$library"/lib-dynload/*.so
  libc=$(ldd "$python" | grep -oE '/[^ ]+/libc\.so\.6')
  for name in libdl.so.2 libpthread.so.0 librt.so.1 libutil.so.1; do cp -L "$(dirname "$libc")/$name" "$root$(dirname "$libc")/"; done
  tar -C / --exclude=__pycache__ --exclude=test --exclude=idlelib --exclude=ensurepip -c "${library#/}" | tar -C "$root" -x
  cp /bin/busybox "$root/usr/bin/busybox"
  for name in sh cat ls sleep echo id env ip wget ps touch dd; do ln -sf busybox "$root/usr/bin/$name"; done
  printf 'root:x:0:0::/root:/bin/sh\nworker:x:1000:1000::/tmp:/bin/sh\n' >"$root/etc/passwd"
  tar -C "$root" -c . | podman --runtime runc import \
    --change 'ENV PATH=/usr/bin' --change 'ENV FLAVOUR=of-the-image' --change 'WORKDIR /tmp' - "$shell_image" >&2
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
export POLARON_CONTAINER_IMAGE=$shell_image
export POLARON_CONTAINER_BARE_IMAGE=$libc_image
ENV
