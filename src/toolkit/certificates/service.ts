import type { z } from 'zod'
import type { ToolkitControl, ToolkitService } from '../contract.ts'
import { plan, validate } from './plan.ts'
import { routes } from './routes.ts'
import { type CertificatesSpec, certificatesSchema } from './schema.ts'
import { values } from './values.ts'
import { health, watch } from './watch.ts'

/** Nothing of its own runs. */
const control: ToolkitControl<CertificatesSpec> = {
  leave: async () => {},
  join: async () => {},
  beforeConfigure: async () => [],
  afterConfigure: async () => {},
}

/** Certificates for whoever refers to them: of an own authority, from ACME servers, or uploaded. */
export const certificates: ToolkitService<CertificatesSpec> = {
  kind: 'certificates',
  path: 'certificates',
  command: 'certificates',
  summary: 'Certificates',
  schema: certificatesSchema as z.ZodType<CertificatesSpec>,
  outputs: [],
  validate,
  plan,
  control,
  routes,
  values,
  health,
  watch,
}
