/** The mark of the installation that has a machine which no cloud could mark. */
export const claimFolder = '/etc/kitbag'
export const claimFile = `${claimFolder}/claim.json`

/**
 * All that has to be known of a machine, in one go, as `word value` lines; changes nothing. Plain POSIX shell, because the machine may be
 * any: what a tool that is not there would have said is left out.
 */
export const surveyScript = `
[ ! -e ${claimFile} ] || printf 'claim %s\\n' "$(head -c 4096 ${claimFile} | tr -d '\\n')"
for f in /etc/kitbag /var/lib/kitbag; do [ ! -e $f ] || echo "folder $f"; done
(. /etc/os-release 2>/dev/null && echo "image $ID-\${VERSION_ID:-}" && echo "os \${PRETTY_NAME:-$ID}")
[ ! -d /run/systemd/system ] || echo systemd yes
! command -v apt-get >/dev/null || echo apt yes
echo "cpu $(getconf _NPROCESSORS_ONLN 2>/dev/null)"
while read -r key value rest; do [ "$key" != MemTotal: ] || echo "memory $value"; done </proc/meminfo
df -Pk / /var 2>/dev/null | while read -r device size used free rest; do [ "$device" = Filesystem ] || echo "free $free"; done
df -Pk / 2>/dev/null | while read -r device size rest; do [ "$device" = Filesystem ] || echo "disk $size"; done
[ -w / ] && [ -w /etc ] && [ -w /var ] || echo readonly yes
echo "clock $(date +%s)"
ss -Hltunp 2>/dev/null | sed 's/^/listens /'
echo end yes
`
