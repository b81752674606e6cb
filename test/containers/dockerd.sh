#!/usr/bin/env bash
# A private dockerd in a network namespace of its own: nothing of this machine's network, images or containers changes.
#   dockerd.sh start DIR [DATA]    prints DOCKER_HOST; DATA keeps images and layers, default DIR/data
#   dockerd.sh stop DIR
# Needs root, dockerd, containerd, runc, ip, iptables and nsenter (Debian, Ubuntu: apt-get install docker.io iptables iproute2).
set -euo pipefail
command=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
namespace=gate-$(printf %s "$dir" | cksum | cut -d' ' -f1)

start() {
  local data=${1:-$dir/data}
  mkdir -p "$data"
  ip netns add "$namespace"
  nsenter --net="/run/netns/$namespace" ip link set lo up
  # Not `ip netns exec`, which mounts /sys anew: dockerd then finds no control groups.
  nohup nsenter --net="/run/netns/$namespace" dockerd --data-root "$data" --exec-root "$dir/exec" \
    --pidfile "$dir/pid" --host "unix://$dir/docker.sock" >"$dir/log" 2>&1 &
  for _ in $(seq 150); do
    if docker --host "unix://$dir/docker.sock" info >/dev/null 2>&1; then
      echo "unix://$dir/docker.sock"
      return 0
    fi
    sleep 0.2
  done
  tail -5 "$dir/log" >&2
  stop
  return 1
}

stop() {
  local pid
  if pid=$(cat "$dir/pid" 2>/dev/null); then
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 150); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  fi
  ip netns del "$namespace" 2>/dev/null || true
  umount "$dir/exec/netns/default" 2>/dev/null || true
}

case $command in
  start) start "${3:-}" ;;
  stop) stop ;;
  *) echo "usage: dockerd.sh start|stop DIR" >&2; exit 2 ;;
esac
