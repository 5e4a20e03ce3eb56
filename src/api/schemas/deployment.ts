import { z } from '@hono/zod-openapi'
import { deploymentCostsSchema } from './costs.ts'
import { operationKind, operationStatus } from './operation.ts'

const lastOperation = z
  .object({ id: z.string(), kind: operationKind, status: operationStatus })
  .openapi('LastOperation')

const deploymentStatus = z
  .enum(['empty', 'deploying', 'live', 'drifted', 'failed', 'destroying'])
  .openapi('DeploymentStatus', {
    description:
      'empty: nothing was deployed yet; deploying, destroying: a change is under way; drifted: a machine differs from what was applied; failed: the last change failed',
  })

export const deploymentSummarySchema = z
  .object({
    name: z.string(),
    cloud: z.string().nullable(),
    status: deploymentStatus,
    release: z.int().nullable().openapi({ description: 'Number of the release in force' }),
    machines: z.int().openapi({ description: 'Those that it has; what shares one is not counted' }),
    operation: lastOperation.nullable().openapi({ description: 'The newest one' }),
    createdAt: z.string(),
  })
  .openapi('DeploymentSummary')

export const machineSchema = z
  .object({
    name: z.string(),
    component: z.string(),
    on: z.string().optional().openapi({ description: 'The machine that it shares, where it has none of its own' }),
    status: z.enum(['imported', 'creating', 'created', 'installed', 'ready', 'failed', 'lost', 'destroying']),
    address: z.string().nullable().openapi({ description: 'The one that other machines use' }),
    addresses: z.array(
      z.object({
        address: z.string(),
        family: z.union([z.literal(4), z.literal(6)]),
        scope: z.enum(['public', 'private']),
        network: z.string(),
        static: z.literal(true).optional().openapi({ description: 'Outlives the machine: its replacement gets it' }),
        floating: z.literal(true).optional().openapi({ description: 'Moves between the machines that share it' }),
      }),
    ),
    user: z.string(),
    hostKey: z.string().openapi({ description: 'Pinned public host key' }),
    size: z.string(),
    image: z.string(),
    stateful: z.boolean(),
    imported: z.boolean().openapi({ description: 'Somebody else made it: it is let go where others are destroyed' }),
    drifted: z.boolean(),
    release: z.int().nullable().openapi({ description: 'The one that it last became ready with' }),
  })
  .openapi('Machine')

const componentSchema = z
  .object({
    name: z.string(),
    recipe: z.string(),
    replicas: z.int(),
    service: z.string().optional().openapi({ description: 'Kind of the toolkit service that it belongs to' }),
    outputs: z.record(z.string(), z.unknown()).openapi({ description: 'Secrets in them read `[secret]`' }),
  })
  .openapi('Component')

export const deploymentSchema = z
  .object({
    name: z.string(),
    cloud: z.string().nullable(),
    status: deploymentStatus,
    release: z.int().nullable(),
    url: z.string().optional().openapi({ description: 'Where the application answers' }),
    machines: z.array(machineSchema),
    components: z.array(componentSchema),
    services: z.array(z.object({ name: z.string(), kind: z.string() })),
    scale: z
      .record(z.string(), z.int())
      .openapi({ description: 'Machine counts set by `scale`, over the blueprint’s' }),
    canary: z
      .object({
        component: z.string(),
        release: z.int(),
        share: z.int().openapi({ description: 'Percent of its traffic' }),
        machines: z.array(z.string()),
      })
      .nullable()
      .openapi({ description: 'The release on trial beside the one in force' }),
    costs: deploymentCostsSchema,
    operation: lastOperation.nullable(),
    createdAt: z.string(),
  })
  .openapi('Deployment')

export type DeploymentSummary = z.infer<typeof deploymentSummarySchema>
export type Deployment = z.infer<typeof deploymentSchema>
export type Machine = z.infer<typeof machineSchema>
export type DeploymentStatus = z.infer<typeof deploymentStatus>
