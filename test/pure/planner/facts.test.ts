import { describe, expect, test } from 'vitest'
import { expand } from '../../../src/planner/expand.ts'
import { createFacts } from '../../../src/planner/facts.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { guestbookText, releaseOf } from '../../support/guestbook.ts'
import { machineRow } from './world.ts'

const recipes = await shippedRecipes()

const database = machineRow('db-1', {
  status: 'created',
  addresses: [{ address: '10.0.0.5', family: 4, scope: 'private', network: 'n' }],
  stateful: true,
  releaseNumber: null,
})

function factsOf(settings: string, secrets: Record<string, string>) {
  const release = releaseOf(guestbookText.replace('{ database: guestbook }', settings), recipes)
  const { components } = expand(release, toolkit, {})
  const world = { release, components, machines: [database], overrides: {} }
  const known = new Map(Object.entries(secrets))
  return createFacts({ installation: 'i', deployment: 'd', releaseNumber: 1, world, recipes, secrets: known })
}

describe('a secret parameter', () => {
  test('is the generated value when it is not given, in every phase', () => {
    const facts = factsOf('{ database: guestbook }', { 'db.password': 'generated' })
    expect(facts.context(database, { later: false }).context.parameters.password).toBe('generated')
    expect(facts.context(database).context.parameters.password).toBe('generated')
  })

  test('is the given value, which an install phase does not know', () => {
    const facts = factsOf('{ database: guestbook, password: "${secrets.MINE}" }', { MINE: 'given-value' })
    expect(facts.context(database, { later: false }).context.parameters.password).toBeUndefined()
    expect(facts.context(database).context.parameters.password).toBe('given-value')
    expect(facts.outputs('db').password).toBe('given-value')
  })

  test('a given value that does not fit is refused by its path, and not told', () => {
    const facts = factsOf('{ database: guestbook, password: "${secrets.MINE}" }', { MINE: 'short' })
    expect(() => facts.context(database)).toThrow(/^components\.db\.settings\.password, .*8 characters or more/)
    expect(() => facts.context(database)).not.toThrow(/short/)
  })
})
