/**
 * Stand-ins for the tools that a throw-away root has no daemon or archive for. They keep their state in /fake and write each call
 * to /fake/calls, so that a test sees what a machine would have been told.
 */
const call = 'echo "${0##*/} $*" >>/fake/calls'

export const fakes: Record<string, string> = {
  'dpkg-query': `while [ $# -gt 2 ]; do shift; break; done
shift
for name; do while read -r known version; do [ "$known" != "$name" ] || echo "installed $name $version"; done </fake/packages; done`,

  'apt-get': `${call}
while :; do case $1 in -o) shift 2 ;; -*) shift ;; *) break ;; esac; done
verb=$1
shift
if [ -s /fake/apt-says ]; then
  read -r line </fake/apt-says
  sed -i 1d /fake/apt-says
  [ "$line" = works ] || { echo "$line"; exit 100; }
fi
if [ "$verb" = update ]; then mkdir -p /var/lib/apt/lists/partial; : >/var/lib/apt/lists/x_Packages; exit 0; fi
for name; do case $name in -*) ;; *=*) echo "\${name%%=*} \${name#*=}" >>/fake/packages ;; *) echo "$name 1.0" >>/fake/packages ;; esac; done
exit 0`,

  dpkg: `${call}
rm -f /var/lib/dpkg/updates/*`,

  systemctl: `case $1 in is-active|is-enabled) ;; *) ${call} ;; esac
verb=$1
shift
now=
while :; do case \${1-} in --now) now=1; shift ;; -*) shift ;; *) break ;; esac; done
state() { if [ -e "/fake/$1.$2" ]; then echo "$3"; else echo "$4"; fi; }
case $verb in
is-active) for unit; do state "$unit" active active inactive; done ;;
is-enabled) state "$1" enabled enabled disabled ;;
start|restart|reload-or-restart) [ ! -e "/fake/$1.broken" ] || { echo "Job for $1 failed"; exit 1; }; : >"/fake/$1.active" ;;
stop) rm -f "/fake/$1.active" ;;
enable) : >"/fake/$1.enabled"; [ -z "$now" ] || : >"/fake/$1.active" ;;
disable) rm -f "/fake/$1.enabled"; [ -z "$now" ] || rm -f "/fake/$1.active" ;;
esac
exit 0`,
}

/** Tools that a program runs while it changes something; wrapped, they end the whole program at a chosen call. */
export const fatalTools = ['mkdir', 'mv', 'chmod', 'chown', 'ln', 'rm', 'tar', 'useradd', 'groupadd']

/** Counts its calls in /fake/count; at the call that /fake/kill names it kills the program, before or after its work. */
export function fatal(command: string): string {
  return `count=0
read -r count </fake/count
count=$((count + 1))
echo $count >/fake/count
[ "$(cat /fake/kill)" != "$count before" ] || kill -9 0
${command}
status=$?
[ "$(cat /fake/kill)" != "$count after" ] || kill -9 0
exit $status`
}
