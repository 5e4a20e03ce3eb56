import type { z } from 'zod'
import { noTraffic, type ToolkitService } from '../contract.ts'
import { plan, validate } from './plan.ts'
import { routes } from './routes.ts'
import { type CertificatesSpec, certificatesSchema } from './schema.ts'
import { values } from './values.ts'
import { health, watch } from './watch.ts'

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
  control: noTraffic,
  routes,
  values,
  health,
  watch,
}
