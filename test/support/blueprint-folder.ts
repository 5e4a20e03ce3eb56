import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface BlueprintFolder {
  /** Path of its blueprint.yaml. */
  blueprint: string
  write(files: Record<string, string>): void
  remove(): void
}

/** A throw-away folder as a user's repository holds it: blueprint.yaml, applications, recipes. */
export function blueprintFolder(files: Record<string, string>): BlueprintFolder {
  const folder = mkdtempSync(join(tmpdir(), 'kitbag-blueprint-'))
  const write = (more: Record<string, string>) => {
    for (const [name, text] of Object.entries(more)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
  }
  write(files)
  return {
    blueprint: join(folder, 'blueprint.yaml'),
    write,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
