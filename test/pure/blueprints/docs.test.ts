import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseBlueprint } from '../../../src/blueprints/parse.ts'
import { KitbagError, type Problem } from '../../../src/model/errors.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { catalogOf } from '../../support/guestbook.ts'

const catalog = catalogOf(await shippedRecipes())
// Those that are left out are tested beside what they tell of.
const pages = readdirSync('docs').filter(
  (name) => name.endsWith('.md') && !['recipes.md', 'blueprint.md'].includes(name),
)

/** A page shows parts of blueprints; where a part goes is told by the page and its first words. */
function whole(page: string, part: string): string {
  const indented = (depth: number) => part.replace(/^(?=.)/gm, ' '.repeat(depth))
  const head = 'apiVersion: kitbag/v1\nname: shop\n'
  const service = { 'dns.md': 'dns', 'monitoring.md': 'monitoring', 'load-balancer.md': 'loadBalancer' }[page]
  if (/^apiVersion:/.test(part)) return part
  if (/^(components|toolkit|placement):/.test(part)) return `${head}${part}`
  if (/^(dns|loadBalancer):/.test(part)) return `${head}toolkit:\n${indented(2)}`
  const list = part.startsWith('- ') ? (service === 'dns' ? 'records' : 'listeners') : undefined
  const zone = service === 'dns' ? '    zone: shop.example\n' : ''
  return `${head}toolkit:\n  ${service}:\n${zone}${list ? `    ${list}:\n${indented(6)}` : indented(4)}`
}

/** A part lacks what it refers to; what it has must be right. */
const lacking =
  /there is no (component|recipe|certificate|one called)|is required|takes either|has no |is not given|has neither/

function problemsOf(text: string): Problem[] {
  try {
    parseBlueprint(text, { file: 'blueprint.yaml', catalog, toolkit, parameters: {} })
    return []
  } catch (error) {
    if (error instanceof KitbagError) return error.problems
    throw error
  }
}

const parts = pages.flatMap((page) => {
  const text = readFileSync(`docs/${page}`, 'utf8')
  return [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, part = ''], i) => [page, i + 1, part] as const)
})

test.each(parts)('%s: what part %i of a blueprint says is right', (page, _, part) => {
  const problems = problemsOf(whole(page, part)).filter(({ message }) => !lacking.test(message))
  expect(problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([])
})
