import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'
import { failureConverterPath } from '../../src/main/temporal/data-converter.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The workflows bundled from source, once per content: a second of webpack that most test runs need not spend. */
export async function workflowBundle(): Promise<{ codePath: string }> {
  const cache = join(root, 'node_modules/.cache/kitbag')
  const codePath = join(cache, `workflows-${sourceDigest()}.js`)
  if (existsSync(codePath)) return { codePath }
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'src/workflows/index.ts'),
    failureConverterPath: failureConverterPath(),
    logger: new DefaultLogger('ERROR'),
  })
  await mkdir(cache, { recursive: true })
  const draft = `${codePath}.${process.pid}`
  await writeFile(draft, code)
  await rename(draft, codePath)
  return { codePath }
}

/** Workflows import model, and types of activities. */
function sourceDigest(): string {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')))
  for (const folder of ['src/workflows', 'src/model', 'src/main/temporal']) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).sort()) {
      if (/\.(ts|cjs)$/.test(name)) hash.update(name).update(readFileSync(join(root, folder, name)))
    }
  }
  return hash.digest('hex').slice(0, 16)
}
