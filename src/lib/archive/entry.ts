import { posix } from 'node:path'
import type { Header } from 'tar-stream'

/** Bytes of the files of one archive, and entries in it. */
export const maxArchiveSize = 512 << 20
export const maxEntries = 100_000

/** What stands in an archive. */
export interface Entry {
  /** Below the folder, with `/`. */
  path: string
  kind: 'file' | 'directory' | 'link'
  executable: boolean
  size: number
  target?: string
}

/**
 * Whether a link at `path` may point out of the folder. `..` counts at the beginning only, where it climbs real folders; after a
 * name it might climb from where another link leads, so that is refused as well.
 */
export function leaves(path: string, target: string): boolean {
  const parts = target.split('/').filter((part) => part !== '' && part !== '.')
  const climbs = parts.findIndex((part) => part !== '..')
  const up = climbs < 0 ? parts.length : climbs
  return posix.isAbsolute(target) || up > path.split('/').length - 1 || parts.slice(up).includes('..')
}

/** The same for the same content, whoever packs it. */
export function header({ path, kind, executable, size, target }: Entry): Header {
  const mode = executable ? 0o755 : 0o644
  const type = kind === 'link' ? ('symlink' as const) : kind
  return {
    name: path,
    type,
    mode,
    size,
    mtime: new Date(0),
    uid: 0,
    gid: 0,
    uname: '',
    gname: '',
    ...(target !== undefined && { linkname: target }),
  } as Header
}
