import type { Guest } from './guest.ts'

/** All of a machine that somebody who lends it would look at afterwards. */
export interface MachinePicture {
  /** Everything on its disk that no package owns, as `type path`. */
  files: string[]
  /** Files of /etc with their sha256. */
  contents: string[]
  users: string[]
  groups: string[]
  /** Units that are enabled, running or failed. */
  units: string[]
  /** Sockets that are listened on, `tcp 0.0.0.0:22`. */
  ports: string[]
}

/** What stays by the list of docs/providers/ssh.md: of the packages that stay, of the package manager, and logs. */
const stays = [
  /^. \/var\/(lib\/(dpkg|apt|systemd|pam|ucf|vim|man-db)|cache\/(apt|debconf|ldconfig|man|apparmor)|log)(\/|$)/,
  /^. \/etc\/(alternatives|rc[0-6S]\.d|ssl\/certs|systemd\/system\/.*\.wants)\//,
  /^. \/etc\/(passwd|group|shadow|gshadow|subuid|subgid|ld\.so\.cache)-?( |$)/,
  /^. \/(etc\/(inputrc|locale\.gen|ssl\/private\/ssl-cert-snakeoil\.key|apt\/apt\.conf\.d\/02autoremove-postgresql|postgresql-common\/createcluster\.conf)|var\/cache\/postgresql|var\/(spool\/powerdns|lib\/powerdns\/supermaster\.conf)|etc\/lighttpd\/conf-enabled)/,
  /^. \/(usr|tmp|var\/tmp)\//,
  /^. \/(etc|var\/lib)\/(\.updated|\.pwd\.lock)/,
  /^. \/home\/debian\/\.(cache|sudo_as_admin_successful|ansible)/,
]

export async function machinePicture(guest: Guest): Promise<MachinePicture> {
  const [files, contents, users, groups, units, ports] = await Promise.all(
    [
      `{ find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /run \\) -prune -o -printf '%y %p\\n' |
         LC_ALL=C sort -k 2 >/run/picture.all
         cat /var/lib/dpkg/info/*.list | sed 's/^/f /; p; s/^f/d/; p; s/^d/l/' | LC_ALL=C sort -u >/run/picture.owned
         grep -vxFf /run/picture.owned /run/picture.all
         rm -f /run/picture.*; }`,
      "find /etc -xdev -type f -exec sha256sum {} + | sed 's/^\\(.*\\)  \\(.*\\)$/f \\2 \\1/'",
      'cut -d : -f 1,6 /etc/passwd',
      'cut -d : -f 1 /etc/group',
      `{ systemctl list-unit-files --state=enabled --no-legend --no-pager | sed 's/ .*//; s/^/enabled /'
         systemctl list-units --type=service,socket,timer,path --state=active,failed --no-legend --no-pager --plain | sed 's/ .*//; s/^/up /'; }`,
      "ss -Hltun | tr -s ' ' | cut -d ' ' -f 1,5",
    ].map(async (script) => (await guest.run(script)).split('\n').filter(Boolean)),
  )
  const shown = (lines: string[] = []) => lines.filter((line) => !stays.some((pattern) => pattern.test(line))).sort()
  return {
    files: shown(files),
    contents: shown(contents),
    users: (users ?? []).sort(),
    groups: (groups ?? []).sort(),
    units: (units ?? []).filter((unit) => !/^up (user|session|apt-daily|systemd-tmpfiles)/.test(unit)).sort(),
    ports: (ports ?? []).sort(),
  }
}

/** What is on the second and not on the first, and the other way round, of each part. */
export function difference(before: MachinePicture, after: MachinePicture): Record<string, string[]> {
  const parts = ['files', 'users', 'groups', 'units', 'ports'] as const
  const differences = parts.map((part) => {
    const [old, now] = [new Set(before[part]), new Set(after[part])]
    const more = after[part].filter((line) => !old.has(line)).map((line) => `+ ${line}`)
    const less = before[part].filter((line) => !now.has(line)).map((line) => `- ${line}`)
    return [part, [...more, ...less]] as [string, string[]]
  })
  // New files are of packages, or among the files above.
  const now = new Set(after.contents)
  const contents = before.contents.filter((line) => !now.has(line)).map((line) => `- ${line}`)
  return Object.fromEntries(
    [...differences, ['contents', contents] as [string, string[]]].filter(([, lines]) => lines.length > 0),
  )
}
