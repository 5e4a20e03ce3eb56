import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Document, parseDocument } from 'yaml'
import { toolkitBlueprint } from '../../demo/paths.ts'
import type { Bench } from './bench.ts'
import { benchFolder } from './folder.ts'

/** A copy of examples/shop with another blueprint, which goes with the family; the path of the blueprint. */
export function changedShop(bench: Bench, change: (document: Document) => void): string {
  const folder = mkdtempSync(`${benchFolder()}/shop-`)
  bench.cleanup.add(folder, () => rmSync(folder, { recursive: true, force: true }))
  cpSync(dirname(toolkitBlueprint), folder, { recursive: true })
  const document = parseDocument(readFileSync(toolkitBlueprint, 'utf8'))
  change(document)
  const file = join(folder, 'blueprint.yaml')
  writeFileSync(file, document.toString())
  return file
}
