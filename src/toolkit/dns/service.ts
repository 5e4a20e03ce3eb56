import type { z } from 'zod'
import type { ToolkitService } from '../contract.ts'
import { challenges } from './challenges.ts'
import { control } from './control.ts'
import { health } from './health.ts'
import { plan, validate } from './plan.ts'
import { prepare } from './prepare.ts'
import { routes } from './routes.ts'
import { type DnsSpec, dnsSchema } from './schema.ts'
import { watch } from './watch.ts'

/** PowerDNS machines that answer for zones of the deployment. */
export const dns: ToolkitService<DnsSpec> = {
  kind: 'dns',
  path: 'dns',
  command: 'dns',
  summary: 'DNS',
  schema: dnsSchema as z.ZodType<DnsSpec>,
  outputs: [],
  validate,
  plan,
  control,
  prepare,
  routes,
  watch,
  challenges,
  health,
}
