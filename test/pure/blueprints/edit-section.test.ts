import { expect, test } from 'vitest'
import { withSection } from '../../../src/blueprints/edit-section.ts'

const head = 'name: shop # ours\ncomponents:\n  web: { port: 80 }\n'
const dns = { kind: 'dns', name: 'dns' }

test('a first service is put in, and everything else stays as it is written', () => {
  expect(withSection(head, dns, { zone: 'shop.example' })).toBe(`${head}toolkit:\n  dns:\n    zone: shop.example\n`)
})

test('a section is replaced, its neighbours are not', () => {
  const text = `${head}toolkit:\n  # names\n  dns: { zone: a.example }\n  loadBalancer: { listeners: [] } # front\n`
  expect(withSection(text, dns, { zone: 'b.example' })).toBe(
    `${head}toolkit:\n  # names\n  dns:\n    zone: b.example\n  loadBalancer: { listeners: [] } # front\n`,
  )
})

test('another name makes a list; the last one taken out takes the kind with it', () => {
  const one = `${head}toolkit:\n  dns: { zone: a.example }\n`
  const two = withSection(one, { kind: 'dns', name: 'inner' }, { zone: 'b.example' })
  expect(two).toBe(
    `${head}toolkit:\n  dns:\n    - { name: dns, zone: a.example }\n    - name: inner\n      zone: b.example\n`,
  )
  const renewed = withSection(two, { kind: 'dns', name: 'inner' }, { zone: 'c.example' })
  expect(renewed).toContain('name: inner\n      zone: c.example')
  expect(withSection(renewed, { kind: 'dns', name: 'inner' }, null)).toBe(
    `${head}toolkit:\n  dns: { zone: a.example }\n`,
  )
  expect(withSection(one, dns, null)).toBe(head)
})
