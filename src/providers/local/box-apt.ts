import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing, readState } from '../../lib/state-file.ts'
import {
  type AptSource,
  chooseMirrors,
  guestAptConfig,
  type Mirrors,
  parseDeb822,
  parseSourcesList,
} from './apt-sources.ts'
import { tryRun } from './run.ts'

export interface BoxApt {
  mirrors: Mirrors
  /** apt.conf text for guests; may be empty. */
  config: string
  /** Proxy for debootstrap, as the box's apt has it. */
  proxy?: string
}

/** What the box's own apt uses, as far as it is of use to Debian guests. */
export async function readBoxApt(): Promise<BoxApt> {
  const [sources, codename, config] = await Promise.all([readSources('/etc/apt'), debianCodename(), aptConfig()])
  const proxy = /^Acquire::http::Proxy "([^"]+)"/im.exec(config)?.[1]
  return { mirrors: chooseMirrors(sources, codename), config, ...(proxy && proxy !== 'DIRECT' && { proxy }) }
}

async function readSources(folder: string): Promise<AptSource[]> {
  const listed = await readdir(join(folder, 'sources.list.d')).catch((error) => {
    if (isMissing(error)) return []
    throw error
  })
  const files = ['sources.list', ...listed.sort().map((name) => join('sources.list.d', name))]
  const parsed = await Promise.all(
    files.map(async (name) => {
      const text = (await readState(join(folder, name))) ?? ''
      if (name.endsWith('.sources')) return parseDeb822(text)
      return name.endsWith('.list') ? parseSourcesList(text) : []
    }),
  )
  return Promise.all(parsed.flat().map(withMirrorLists))
}

/** Debian's cloud images name a file with a list of mirrors (`mirror+file:/etc/apt/mirrors/debian.list`). */
async function withMirrorLists(source: AptSource): Promise<AptSource> {
  const uris = await Promise.all(
    source.uris.map(async (uri) => {
      const list = /^mirror\+file:(\/.*)$/.exec(uri)?.[1]
      if (!list) return [uri]
      const text = (await readState(list.replace(/^\/+/, '/'))) ?? ''
      return text.split('\n').flatMap((line) => line.trim().split(/\s+/, 1))
    }),
  )
  return { ...source, uris: uris.flat() }
}

async function debianCodename(): Promise<string | undefined> {
  const release = (await readState('/etc/os-release')) ?? ''
  return /^ID="?debian"?$/m.test(release) ? /^VERSION_CODENAME="?(\w+)"?$/m.exec(release)?.[1] : undefined
}

async function aptConfig(): Promise<string> {
  const { status, stdout } = await tryRun('apt-config', ['dump']).catch(() => ({ status: 1, stdout: '' }))
  return status === 0 ? guestAptConfig(stdout) : ''
}
