#!/usr/bin/env bash
# Runs one host of the rig until standard input ends, which it does with the test process, however that ends; then
# leaves nothing behind. Started inside the rig's network namespace, where the bridge lab0 is.
# Arguments: name, its own directory, address, user, port of SSH, "docker" or "none".
set -euo pipefail
name=$1 own=$2 address=$3 user=$4 port=$5 engine=$6
here=$(dirname "$(readlink -f "$0")")
group=/lab-rig-$(basename "$(dirname "$own")")/$(basename "$own")

options=none
# Its containers' control groups have a parent of their own, to be found and removed again.
if [ "$engine" = docker ]; then options="--cgroup-parent=$group --iptables=false --ip6tables=false --bridge=none --log-level=warn"; fi

unshare --net --mount --uts --ipc --pid --fork --kill-child bash -c '
    for _ in $(seq 500); do ip link show eth0 >/dev/null 2>&1 && break; sleep 0.02; done
    ip address add "$1/24" dev eth0
    ip link set eth0 up
    ip link set lo up
    # A host that takes the address of one before it must say so, or the others go on sending to the dead one. What it says
    # first finds the bridge not ready yet; a question for an address that nobody has is asked three times and heard by all.
    echo > /dev/udp/10.77.0.254/9
    shift
    exec bash "$@"' host-init "$address" "$here/host-init.sh" "$name" "$own" "$user" "$port" "$options" < /dev/null > "$own/console.log" 2>&1 &
host=$!

link=
leave() {
    # First: the kernel clears a dead namespace away when it has time, and until then it would answer for its successor.
    [ -z "$link" ] || ip link del "$link" 2>/dev/null || true
    kill -9 "$host" 2>/dev/null || true
    wait "$host" 2>/dev/null || true
    # The kernel takes a moment to end the processes of a namespace whose first one is dead.
    # One that is to be started again keeps its disk.
    [ -e "$own/keep" ] || for _ in $(seq 100); do
        rm -rf --one-file-system "$own" 2>/dev/null && break
        sleep 0.1
    done
    for _ in $(seq 50); do
        find /sys/fs/cgroup/*"$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
        compgen -G "/sys/fs/cgroup/*$group" >/dev/null || break
        sleep 0.1
    done
    rmdir /sys/fs/cgroup/*"$(dirname "$group")" 2>/dev/null || true
    # Who killed the tests gets the rest cleared away too.
    kill -0 "$PPID" 2>/dev/null || rm -rf --one-file-system "$(dirname "$own")" 2>/dev/null || true
}
trap leave EXIT

init=
for _ in $(seq 500); do
    read -r init _ < "/proc/$host/task/$host/children" || true
    [ -z "$init" ] || break
    sleep 0.02
done
echo "$init" > "$own/init.pid"
link=v${address##*.}-$$
ip neigh flush dev lab0 to "$address" || true
# The host's own end comes last: what it says first must find the way open.
ip link add "$link" type veth peer name "p$link"
ip link set "$link" master lab0 up
ip link set "p$link" netns "$init" name eth0
cat > /dev/null
