/**
 * What a vanilla cloud image has and a recipe may rely on, and nothing else: no curl, no Python, no editor. systemd-resolved gives
 * the guest its resolv.conf, as in Debian's cloud images.
 */
export const packages = [
  'systemd',
  'systemd-sysv',
  'systemd-resolved',
  'dbus',
  'openssh-server',
  'sudo',
  'iproute2',
  'ca-certificates',
  'netbase',
  'tzdata',
]

/** Run inside the new root, after debootstrap: from a bare Debian to what a cloud hands out before its first boot. */
export const customize = `set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

groupadd --gid 1000 debian
useradd --uid 1000 --gid 1000 --create-home --shell /bin/bash --groups adm,sudo --comment Debian debian
passwd --lock debian >/dev/null
passwd --lock root >/dev/null
printf 'debian ALL=(ALL) NOPASSWD:ALL\\n' > /etc/sudoers.d/90-cloud-users
chmod 0440 /etc/sudoers.d/90-cloud-users

printf '%s\\n' \\
  'HostKey /etc/ssh/ssh_host_ed25519_key' \\
  'PermitRootLogin no' \\
  'PasswordAuthentication no' \\
  'KbdInteractiveAuthentication no' > /etc/ssh/sshd_config.d/10-cloud.conf
rm -f /etc/ssh/ssh_host_*

printf 'LANG=C.UTF-8\\n' > /etc/default/locale
ln -sf /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf

systemctl enable --quiet systemd-networkd.service systemd-resolved.service ssh.service
# Nobody sits at these consoles; and the one host key that a machine has is given to it.
systemctl mask --quiet console-getty.service getty.target sshd-keygen.service systemd-networkd-wait-online.service

# What a first boot would find to bring up to date (linker cache, message catalogs, users) is so already.
ldconfig
journalctl --update-catalog
systemd-sysusers
touch /etc/.updated /var/.updated

# Each machine brings its own of these.
: > /etc/machine-id
rm -f /etc/hostname /var/lib/dbus/machine-id /etc/apt/sources.list /var/lib/systemd/random-seed
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old /var/lib/dpkg/*-old
rm -rf /var/log/bootstrap.log /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log /tmp/* /root/.bash_history
`
