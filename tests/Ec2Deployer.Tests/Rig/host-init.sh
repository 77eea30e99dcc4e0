#!/usr/bin/env bash
# Becomes one host: the first process of its own mount, UTS, IPC and PID namespaces, in a network namespace that has
# its address already. Its root is this machine's, copied on write; it ends with the host.
# Arguments: name, directory for what is its own, user, port of SSH, dockerd's further arguments or "none" for no Docker.
set -euo pipefail
name=$1 own=$2 user=$3 port=$4 docker=$5
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
umask 022

hostname "$name"
mount --make-rprivate /
mkdir -p "$own"/{upper,work,root,docker}
mount -t overlay overlay -o "lowerdir=/,upperdir=$own/upper,workdir=$own/work" "$own/root"
cd "$own/root"
for shared in dev sys; do mount --rbind "/$shared" "$shared"; done
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mkdir -p var/lib/docker run/sshd run/lock
mount --bind "$own/docker" var/lib/docker
mkdir -p mnt/old
cp "$own/authorized_keys" run/authorized_keys
install -D -m 644 "$own/daemon.json" etc/docker/daemon.json
install -D -m 644 "$own/sysctl.conf" etc/sysctl.d/60-lab.conf
pivot_root . mnt/old
cd /
umount -l /mnt/old

# Debian's engine and its client, and nothing else that this machine may have by the same name.
rm -f /usr/local/bin/docker /usr/local/bin/dockerd
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" > /etc/hosts
echo "$name" > /etc/hostname
id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --password '*' "$user"
install -d -m 700 -o "$user" -g "$user" "/home/$user/.ssh"
install -m 600 -o "$user" -g "$user" /run/authorized_keys "/home/$user/.ssh/authorized_keys"
echo "$user ALL=(ALL) NOPASSWD:ALL" > /etc/sudoers.d/90-cloud-init-users
chmod 440 /etc/sudoers.d/90-cloud-init-users
# Made at the first boot alone, as by cloud-init.
if [ ! -e /etc/lab-rig-booted ]; then
    rm -f /etc/ssh/ssh_host_*
    ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
    touch /etc/lab-rig-booted
fi
sysctl -q -p /etc/sysctl.d/60-lab.conf

if [ "$docker" = none ]; then
    rm -f /usr/bin/docker /usr/sbin/dockerd
else
    echo "exec setsid dockerd --pidfile /run/docker.pid --userland-proxy=false $docker >> /var/log/dockerd.log 2>&1" > /run/dockerd.sh
    sh /run/dockerd.sh &
fi
exec /usr/sbin/sshd -D -e -p "$port" -o HostKey=/etc/ssh/ssh_host_ed25519_key -o UsePAM=no -o PasswordAuthentication=no \
    -o MaxStartups=100 -o MaxSessions=100 2> /var/log/sshd.log
