import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const program = '/usr/bin/chromium-headless-shell'

/** Why there is no browser to look with; undefined when there is one. */
export const noBrowser = existsSync(program) ? undefined : 'no browser: apt-get install chromium-headless-shell'

export interface LookedAt {
  /** The page as the browser understood it, after it was drawn. */
  dom: string
  /** What it complained of: refused by the content security policy, failed scripts. */
  complaints: string[]
}

/** Opens a page in a real browser, without a screen. `token`: as a person would type it when asked. */
export async function look(url: string, token: string): Promise<LookedAt> {
  const profile = await mkdtemp(join(tmpdir(), 'kitbag-browser-'))
  const address = new URL(url)
  address.username = 'kitbag'
  address.password = token
  const options = [
    '--no-sandbox',
    '--disable-gpu',
    '--enable-logging=stderr',
    `--user-data-dir=${profile}`,
    '--dump-dom',
  ]
  try {
    return await new Promise((resolve, reject) => {
      execFile(program, [...options, address.href], { timeout: 180_000, maxBuffer: 1 << 26 }, (error, dom, said) => {
        if (error) reject(error)
        else resolve({ dom, complaints: said.split('\n').filter((line) => line.includes('CONSOLE')) })
      })
    })
  } finally {
    await rm(profile, { recursive: true, force: true })
  }
}
