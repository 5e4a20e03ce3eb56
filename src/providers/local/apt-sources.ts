/** One package source of the box's own apt, of either syntax. */
export interface AptSource {
  uris: string[]
  suites: string[]
  components: string[]
}

/** Where guests and debootstrap get Debian's packages from: as the box itself does, where it is a Debian. */
export interface Mirrors {
  main: string
  components: string[]
  /** False: the box does without, so its guests do. */
  updates: boolean
  security?: string
}

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** Reads one-line (`deb ...`) sources. Comments count for nothing, whatever addresses they hold. */
export function parseSourcesList(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line)
    if (!match) return []
    const [, uri = '', suite = '', components = ''] = match
    return [{ uris: [uri], suites: [suite], components: words(components) }]
  })
}

/** Reads deb822 (`.sources`) text. */
export function parseDeb822(text: string): AptSource[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'))
  return lines
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap((stanza) => {
      const fields = parseStanza(stanza)
      const types = words(fields.get('types') ?? '')
      if (!types.includes('deb') || /^(no|false|0|off|disable)$/i.test(fields.get('enabled') ?? 'yes')) return []
      return [
        {
          uris: words(fields.get('uris') ?? ''),
          suites: words(fields.get('suites') ?? ''),
          components: words(fields.get('components') ?? ''),
        },
      ]
    })
}

function parseStanza(stanza: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const [, name = '', value = ''] of stanza.matchAll(/^([A-Za-z][\w-]*):((?:.*)(?:\n[ \t].*)*)/gm)) {
    fields.set(name.toLowerCase(), value)
  }
  return fields
}

/**
 * Debian's own archives among the box's sources: those that carry the release's suites and its `main`. Third parties (nodesource,
 * docker, ...) use other suites or components.
 */
export function chooseMirrors(sources: AptSource[], codename: string | undefined): Mirrors {
  const find = (suite: string) =>
    sources.find((source) => source.suites.includes(suite) && source.components.includes('main') && http(source.uris))
  const main = codename && find(codename)
  if (!main) {
    const archive = 'http://deb.debian.org/debian'
    return { main: archive, components: ['main'], updates: true, security: `${archive}-security` }
  }
  const security = http(find(`${codename}-security`)?.uris ?? [])
  return {
    main: http(main.uris) ?? '',
    components: main.components,
    updates: find(`${codename}-updates`) !== undefined,
    ...(security && { security }),
  }
}

function http(uris: string[]): string | undefined {
  return uris.find((uri) => /^https?:\/\//.test(uri))?.replace(/\/+$/, '')
}

/** The guest's `debian.sources`: the box's mirrors with the suites of the guest's own release. */
export function guestSources(mirrors: Mirrors, suite: string): string {
  const stanza = (uri: string, suites: string[]) =>
    [
      'Types: deb',
      `URIs: ${uri}`,
      `Suites: ${suites.join(' ')}`,
      `Components: ${mirrors.components.join(' ')}`,
      `Signed-By: ${keyring}`,
      '',
    ].join('\n')
  const archives = [stanza(mirrors.main, mirrors.updates ? [suite, `${suite}-updates`] : [suite])]
  if (mirrors.security) archives.push(stanza(mirrors.security, [`${suite}-security`]))
  return archives.join('\n')
}

/** The settings of `apt-config dump` without which the box's mirrors may be out of reach for a guest. */
export function guestAptConfig(dump: string): string {
  const carried = /^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date|Retries)\b/i
  return dump
    .split('\n')
    .filter((line) => carried.test(line))
    .map((line) => `${line}\n`)
    .join('')
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
