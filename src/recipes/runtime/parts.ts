import type { RuntimePart } from '../resources/type.ts'
import { account } from './account.ts'
import { archive } from './archive.ts'
import { command } from './command.ts'
import { core } from './core.ts'
import { directory } from './directory.ts'
import { extras } from './extras.ts'
import { file } from './file.ts'
import { link } from './link.ts'
import { manifest } from './manifest.ts'
import { packages } from './package.ts'
import { path } from './path.ts'
import { service } from './service.ts'

const parts: Record<RuntimePart, string> = {
  package: packages,
  path,
  file,
  directory,
  link,
  account,
  service,
  archive,
  command,
  extras,
  manifest,
}

/** The shell functions that a program needs, without indentation: every byte of it is sent and parsed at each run. */
export function runtimeText(needed: ReadonlySet<RuntimePart>): string {
  const wanted = (Object.keys(parts) as RuntimePart[]).filter((part) => needed.has(part))
  return [core, ...wanted.map((part) => parts[part])].join('').replace(/^ +/gm, '')
}
