import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The folder of Kitbag's own package.json: what ships beside the code (migrations, recipes) is found from there, whether the code
 * runs from src/ or bundled from dist/. `KITBAG_ROOT` overrides it.
 */
export function packageRoot(): string {
  if (process.env.KITBAG_ROOT) return process.env.KITBAG_ROOT
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (isOurs(join(folder, 'package.json'))) return folder
    if (folder === dirname(folder)) throw new Error(`no package.json of Kitbag above ${fileURLToPath(import.meta.url)}`)
  }
}

function isOurs(file: string): boolean {
  return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name === 'kitbag'
}
