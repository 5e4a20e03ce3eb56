import type { z } from 'zod'
import { noTraffic, type ToolkitService } from '../contract.ts'
import { routes } from './routes.ts'
import { type HealingSpec, healingSchema } from './schema.ts'
import { watch } from './watch.ts'

/** Finds machines that are dead, and has them replaced. */
export const healing: ToolkitService<HealingSpec> = {
  kind: 'healing',
  path: 'healing',
  command: 'healing',
  summary: 'Healing',
  schema: healingSchema as z.ZodType<HealingSpec>,
  outputs: [],
  validate({ components: chosen = [] }, components, services) {
    const allowed = [...components, ...services].map(({ name }) => name)
    return chosen.flatMap((name, i) =>
      allowed.includes(name)
        ? []
        : [{ path: `components.${i}`, message: `there is no component or service ${name}`, found: name, allowed }],
    )
  },
  plan: () => ({ components: [], members: [] }),
  control: noTraffic,
  routes,
  watch,
}
