import { expect, test } from 'vitest'
import { z } from 'zod'
import { type CloudsOptions, createClouds } from '../../../src/activities/clouds.ts'

test('a cloud’s settings are in force at once in the process that was told of them', async () => {
  let region = 'north'
  const record = async () => ({ provider: 'told', name: 'home', settings: { region }, credentials: {} })
  const driver = { settings: z.object({}), credentials: z.object({}), connect: async (cloud: object) => cloud }
  const clouds = createClouds({
    store: { clouds: { get: record } },
    environment: {},
    drivers: { told: async () => driver },
  } as unknown as CloudsOptions)
  expect(await clouds.provider('cld_1')).toMatchObject({ settings: { region: 'north' } })
  region = 'south'
  clouds.changed('cld_1')
  expect(await clouds.provider('cld_1')).toMatchObject({ settings: { region: 'south' } })
})
