import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/lib/package-root.ts'

/** Scopes of the clouds' SDKs. */
const scopes = ['@aws-sdk', '@azure', '@smithy', '@typespec']

/** Where packages are looked for is decided by where these are. */
const copied = ['bin', 'dist']

/** Puts a copy of the built program into a new folder, where it finds every package but the SDKs of the clouds. Gives the command. */
export function withoutSdks(folder: string): string {
  const root = packageRoot()
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  for (const name of copied) cpSync(join(root, name), join(folder, name), { recursive: true })
  for (const name of readdirSync(root))
    if (!copied.includes(name) && name !== 'node_modules') symlinkSync(join(root, name), join(folder, name))
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!scopes.includes(name)) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  return join(folder, 'bin/kitbag')
}
