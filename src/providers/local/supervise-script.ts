/**
 * The supervisor of one machine: plain sh, so that it costs next to nothing and outlives the control plane. It has a mount namespace
 * of its own (the machine's root is mounted there alone, and gone with it), boots the guest, boots it again after a reboot or a
 * crash, and ends when the guest was powered off or the supervisor is told (TERM). All it needs to know comes in KITBAG_* variables.
 */
export const superviseScript = `#!/bin/sh
set -u
cd "$KITBAG_FOLDER" || exit 1

exec 9>>supervisor.lock
flock --nonblock 9 || exit 0

started_at() {
  line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  set -- \${line##*) }
  echo "\${20}"
}
record() {
  echo "$2 $(started_at "$2")" > "$1.new" && mv -f "$1.new" "$1"
}
running() {
  [ -r "$1" ] && read -r pid start < "$1" && [ "$(started_at "$pid")" = "$start" ]
}

record supervisor.pid $$

# A guest whose supervisor was killed runs on; its root file system must not be mounted a second time.
while running guest.pid; do sleep 0.2; done

# Control groups: one directory per hierarchy, made by us where systemd does not run the box.
enter_groups() {
  for group in $KITBAG_GROUPS; do
    parent=\${group%/*}
    [ -f "$parent/cgroup.subtree_control" ] && for controller in cpu memory pids; do
      echo "+$controller" > "$parent/cgroup.subtree_control"
    done
    mkdir -p "$group" || return 1
    for file in cpuset.cpus cpuset.mems; do
      [ -f "$parent/$file" ] && [ -f "$parent/cpuset.cpu_exclusive" ] && cat "$parent/$file" > "$group/$file"
    done
    set_limit "$group/memory.limit_in_bytes" "$KITBAG_MEMORY"
    set_limit "$group/memory.max" "$KITBAG_MEMORY"
    set_limit "$group/cpu.cfs_period_us" "$KITBAG_CPU_PERIOD"
    set_limit "$group/cpu.cfs_quota_us" "$KITBAG_CPU_QUOTA"
    set_limit "$group/cpu.max" "$KITBAG_CPU_QUOTA $KITBAG_CPU_PERIOD"
    echo 0 > "$group/cgroup.procs" || return 1
  done 2>/dev/null
}
set_limit() {
  [ ! -f "$1" ] || echo "$2" > "$1"
}
# All that is left in the groups dies: a guest outlives a systemd-nspawn that was killed.
leave_groups() {
  tries=0
  while [ "$tries" -lt 200 ]; do
    tries=$((tries + 1))
    rest=
    for group in $KITBAG_GROUPS; do
      for pid in $(find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null); do
        [ "$pid" = 0 ] || kill -KILL "$pid" 2>/dev/null
      done
      [ -n "$KITBAG_SCOPE" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
      [ ! -d "$group" ] || rest=1
    done
    [ -n "$rest" ] || return 0
    sleep 0.05
  done
}

# It goes with the guest's network namespace, but some time after it; until then its name is taken.
remove_cable() {
  tries=0
  while [ -e "/sys/class/net/$KITBAG_CABLE" ]; do
    ip link delete "$KITBAG_CABLE" 2>/dev/null
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || return 1
    sleep 0.05
  done
}

boot() {
  [ -n "$KITBAG_SCOPE" ] || enter_groups || { echo "kitbag: cannot make the control groups $KITBAG_GROUPS"; exit 99; }
  exec 9>&-
  exec $KITBAG_SCOPE env UNIFIED_CGROUP_HIERARCHY=yes SYSTEMD_NSPAWN_TMPFS_TMP=0 systemd-nspawn --quiet --boot \\
    --directory="$KITBAG_FOLDER/root" --machine="$KITBAG_ID" --hostname="$KITBAG_NAME" --network-bridge="$KITBAG_BRIDGE" \\
    --register=no --keep-unit --settings=no --link-journal=no --resolv-conf=off --timezone=off --console=pipe
}

guest=
ending=
trap 'ending=1; [ -z "$guest" ] || kill -KILL "$guest"' TERM

mount -t overlay overlay -o "lowerdir=$KITBAG_IMAGE,upperdir=$KITBAG_FOLDER/upper,workdir=$KITBAG_FOLDER/work" root || exit 1
# What systemd-nspawn locks the root by; killed it leaves that.
stat -c 'inode-%d:%i' root > nspawn.lock

pause=1
while [ -z "$ending" ]; do
  leave_groups
  remove_cable
  began=$(date +%s)
  boot &
  guest=$!
  record guest.pid "$guest"
  wait "$guest"
  status=$?
  while running guest.pid; do wait "$guest"; status=$?; done
  guest=
  [ -z "$ending" ] || break
  case $status in
    133) pause=1 ;;                                   # it asked for a reboot
    0) echo "kitbag: powered off"; : > stopped; break ;;
    *)
      [ $(($(date +%s) - began)) -lt 60 ] || pause=1
      echo "kitbag: the guest ended with status $status; booting it again in $pause s"
      sleep "$pause"
      pause=$((pause * 2))
      [ "$pause" -le 60 ] || pause=60
      ;;
  esac
done
leave_groups
remove_cable
rm -f guest.pid supervisor.pid
`
