import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findRoot(dirname(folder))
}

/** The clone's folder, from the source and from dist/ alike. */
export const root = findRoot(dirname(fileURLToPath(import.meta.url)))

/** The blueprint with every toolkit service. */
export const toolkitBlueprint = join(root, 'examples/shop/blueprint.yaml')

/** The demo's own KITBAG_HOME, outside the clone: an interrupted demo is found again, also from another clone. */
export const demoHome =
  process.env.KITBAG_DEMO_HOME ??
  (process.getuid?.() === 0
    ? '/var/lib/kitbag-demo'
    : join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local/share'), 'kitbag-demo'))
