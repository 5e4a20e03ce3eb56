import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { providers } from '../../../src/providers/index.ts'

test('the folders of providers are the keys of the registry', () => {
  const folder = join(import.meta.dirname, '../../../src/providers')
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  expect(Object.keys(providers).sort()).toEqual(folders.map(({ name }) => name).sort())
})

test.each(Object.entries(providers))(
  '%s: its driver calls itself so, and takes no unknown settings',
  async (kind, load) => {
    const driver = await load()
    expect(driver.kind).toBe(kind)
    expect(driver.summary).not.toBe('')
    const refused = driver.settings.safeParse({ unknown: 1 }).error?.issues.map(({ code }) => code)
    expect(refused).toContain('unrecognized_keys')
  },
)
