import { KitbagError } from '../../model/errors.ts'
import type { Finding } from '../../model/finding.ts'
import type { AwsCloud } from './connection.ts'
import { type Dry, dryRuns } from './dry-runs.ts'
import { awsCode } from './errors.ts'
import { imageOf, imageWords } from './images.ts'
import type { Market } from './market.ts'
import { importActions, importStatements, neededActions, policy } from './policy.ts'

/** EC2 gives the same answer to who may not at all and to who may with Kitbag's things alone. */
const onlyTagged = "not allowed on what is not Kitbag's; whether on what is, shows once a deployment is there"

/** What would keep a deployment from working: credentials, network, images, then each permission by EC2's own dry run. */
export async function findings(cloud: AwsCloud, market: Market): Promise<Finding[]> {
  const { settings } = cloud
  const trials = await dryRuns(cloud, market)
  const refused = await Promise.all(trials.slice(0, 1).map(dryRun)).catch((error: Error) => error)
  if (refused instanceof Error) return [{ name: 'credentials', ok: false, detail: sentence(refused) }]
  const credentials = { name: 'credentials', ok: true, detail: `accepted in ${settings.region}` }
  const permissions = await permissionFindings(neededActions(settings), trials)
  const imports = await permissionFindings(importActions, trials)
  const attempts = await Promise.all([
    attempt('network', async () => {
      const zones = await market.zones()
      return settings.network.own
        ? `each deployment makes one of ${settings.network.own} in ${zones.length} zones`
        : `${(await market.places()).map(({ subnet, zone }) => `${subnet} (${zone})`).join(', ')}`
    }),
    attempt('images', async () => {
      const images = await market.images()
      const found = images.map(({ word }) => word)
      for (const word of Object.keys(settings.images)) imageOf(images, word, settings.architecture)
      const missing = imageWords.filter((word) => !found.includes(word))
      if (found.length > 0) return `${found.join(', ')}${missing.length > 0 ? `; not here: ${missing.join(', ')}` : ''}`
      throw new KitbagError('not-supported', `none for ${settings.architecture} in ${settings.region}`)
    }),
  ])
  const paste = {
    name: 'policy',
    ok: true,
    detail: `the least that this cloud needs: ${JSON.stringify(policy(settings))}`,
  }
  const more = {
    name: 'policy for import',
    ok: true,
    detail: `statements to add to it, for kitbag cloud import and forget alone: ${JSON.stringify(importStatements(settings))}`,
  }
  return [credentials, ...attempts, ...permissions, paste, ...imports.map(unlessImporting), more]
}

async function attempt(name: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return { name, ok: true, detail: await work() }
  } catch (error) {
    return { name, ok: false, detail: sentence(error) }
  }
}

/** A deployment works without. */
function unlessImporting({ name, ok, detail }: Finding): Finding {
  return { name: `import: ${name}`, ok: true, detail: ok ? detail : `${detail}; only cloud import and forget need it` }
}

async function permissionFindings(actions: string[], trials: Dry[]): Promise<Finding[]> {
  const found: Finding[] = []
  for (const action of actions) {
    const trial = trials.find(({ call }) => call === action)
    // Tags are made by the calls that make what they are on, and these are tried with tags.
    if (!trial) continue
    const name = `ec2:${action}`
    try {
      const allowed = await dryRun(trial)
      const detail = allowed ? 'allowed' : trial.unsure ? onlyTagged : 'not allowed to the user or role of this cloud'
      found.push({ name, ok: allowed || trial.unsure, detail })
    } catch (error) {
      found.push({ name, ok: false, detail: sentence(error) })
    }
  }
  return found
}

/** False: the permission is missing. Throws when EC2 gives no answer, or does not know who asks. */
async function dryRun({ ask }: Dry): Promise<boolean> {
  try {
    await ask()
    return true
  } catch (error) {
    const code = awsCode(error)
    if (code === 'UnauthorizedOperation') return false
    // `DryRunOperation`, or something about the ids of nothing, which is said to those who may only.
    if (code === 'DryRunOperation' || /^(Invalid|Missing|DependencyViolation|Gateway\.|Resource\.)/.test(code ?? ''))
      return true
    throw error
  }
}

function sentence(error: unknown): string {
  const { message, fix } = error as { message: string; fix?: string }
  return fix === undefined ? message : `${message}. ${fix}`
}
