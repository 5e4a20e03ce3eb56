import { z } from '@hono/zod-openapi'
import { cloudName, componentName, digest, folderName } from './names.ts'

const releaseNumber = z.int().min(1).max(2_147_483_647)
const componentNames = z.array(componentName).max(100)

const blueprint = z.strictObject({
  text: z.string().openapi({ description: 'The blueprint as the user wrote it, YAML' }),
  file: z.string().max(400).default('blueprint.yaml').openapi({ description: 'Its name, for messages' }),
})

/** What decides a release: blueprint, parameters, uploaded folders. */
const describes = {
  blueprint,
  parameters: z.record(z.string(), z.unknown()).default({}),
  sources: z
    .record(folderName, digest)
    .default({})
    .openapi({ description: 'Source folder as the blueprint writes it -> digest of its uploaded archive' }),
  recipes: z
    .record(folderName, digest)
    .default({})
    .openapi({ description: "The user's own recipe folders -> digest of their uploaded archives" }),
  cloud: cloudName
    .optional()
    .openapi({ description: 'For components that name none; may be left out after the first deploy' }),
}

const allowDataLoss = componentNames.default([]).openapi({ description: 'Components whose data may be lost' })

const common = {
  onConflict: z
    .enum(['wait', 'refuse'])
    .default('wait')
    .openapi({ description: 'While another operation of this deployment is open: wait for its end, or answer 409' }),
  attach: z
    .boolean()
    .default(false)
    .openapi({ description: 'Give back the open operation that asks for the very same, rather than queue a second' }),
}

const deploy = z.strictObject({
  kind: z.literal('deploy'),
  ...describes,
  ...common,
  allowDataLoss,
  plan: digest.optional().openapi({ description: 'Apply only if the plan has this digest' }),
  keepFailed: z.boolean().default(false).openapi({ description: 'Keep what a failed first deploy made' }),
  canary: z
    .strictObject({ component: componentName, share: z.int().min(1).max(99).openapi({ description: 'Percent' }) })
    .optional()
    .openapi({ description: 'Bring the release to some machines of one component, with this share of its traffic' }),
})
const rollback = z.strictObject({
  kind: z.literal('rollback'),
  ...common,
  release: releaseNumber.optional().openapi({ description: 'Absent: the one before the one in force' }),
  plan: digest.optional(),
  allowDataLoss,
})
const scale = z.strictObject({
  kind: z.literal('scale'),
  ...common,
  scale: z.record(componentName, z.int().min(0).max(1000)).openapi({ description: 'Component -> machines' }),
  allowDataLoss,
})
const machineNames = z.array(z.string().min(1).max(63)).min(1).max(100)
const heal = z.strictObject({
  kind: z.literal('heal'),
  ...common,
  machines: machineNames.openapi({
    description: 'Names of machines that are dead: each is replaced without asking it anything',
  }),
  allowDataLoss,
})
const promote = z.strictObject({ kind: z.literal('promote'), ...common })
const abort = z.strictObject({ kind: z.literal('abort'), ...common })
const check = z.strictObject({ kind: z.literal('check'), ...common })
const destroy = z.strictObject({
  kind: z.literal('destroy'),
  ...common,
  allowDataLoss,
  deleteImported: machineNames
    .optional()
    .openapi({ description: 'Names of imported machines that are deleted too; others are let go, and run on' }),
})

/** A machine that runs already, and which component it is to be of. */
export const importedSchema = z
  .strictObject({
    cloud: cloudName,
    component: componentName,
    id: z.string().min(1).max(400).optional().openapi({ description: "The cloud's own id, or its name there" }),
    tag: z
      .strictObject({ name: z.string().min(1).max(256), value: z.string().max(256) })
      .optional()
      .openapi({ description: 'In the place of `id`: the one machine that has this tag' }),
    user: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be the name of a Linux user')
      .optional()
      .openapi({ description: 'Login user; default: the usual one of such machines' }),
    port: z.int().min(1).max(65_535).default(22).openapi({ description: "SSH's" }),
    fingerprint: z
      .string()
      .regex(/^(SHA256:[A-Za-z0-9+/]{43}|(ssh|ecdsa)-\S+ AAAA\S+.*)$/, 'must be SHA256:... or a whole public key')
      .optional()
      .openapi({ description: 'Of its host key; needed where neither the cloud nor the console tells it' }),
  })
  .openapi('ImportedMachine')
const importMachine = z.strictObject({ kind: z.literal('import'), ...common, ...importedSchema.shape })
const forget = z.strictObject({
  kind: z.literal('forget'),
  ...common,
  machines: machineNames.optional().openapi({ description: 'Names; absent: all, with the deployment' }),
  allowDataLoss,
})

export const submitSchema = z
  .discriminatedUnion('kind', [
    deploy.openapi('Deploy'),
    rollback.openapi('Rollback'),
    scale.openapi('Scale'),
    heal.openapi('Heal'),
    promote.openapi('Promote'),
    abort.openapi('Abort'),
    check.openapi('Check'),
    destroy.openapi('Destroy'),
    importMachine.openapi('Import'),
    forget.openapi('Forget'),
  ])
  .openapi('Submit')

/** The part of a deploy that can be checked and planned before anything is there. */
export const describeSchema = z.strictObject(describes).openapi('Description')

export type Submit = z.output<typeof submitSchema>
export type Description = z.output<typeof describeSchema>
