import { TerminateInstancesCommand } from '@aws-sdk/client-ec2'
import { sleep } from '../../lib/clock.ts'
import { KitbagError } from '../../model/errors.ts'
import type { AwsCloud } from './connection.ts'
import { awsCode } from './errors.ts'
import { isInstanceId } from './instances.ts'
import { readTag } from './tags.ts'

/** Milliseconds for a machine to be gone; EC2 takes half a minute, sometimes some minutes. */
const patience = 600_000

/** Ends a machine and waits until it is gone, its disk with it. One that is not this installation's is left alone. */
export async function destroyMachine({ ec2, instances, installation }: AwsCloud, id: string): Promise<void> {
  if (!isInstanceId(id)) return
  const found = await instances.get(id)
  if (!found || found.State?.Name === 'terminated') return
  if (readTag(found.Tags, 'installation') !== installation) {
    throw new KitbagError('conflict', `aws: ${id} is not a machine of this installation, so it is not destroyed`, {
      fix: 'If it is to go, end it in the AWS console.',
    })
  }
  try {
    await ec2.change(new TerminateInstancesCommand({ InstanceIds: [id] }))
  } catch (error) {
    if (awsCode(error) !== 'InvalidInstanceID.NotFound') throw error
  }
  instances.ending(id)
  for (const end = Date.now() + patience; ; await sleep(20)) {
    const state = (await instances.get(id))?.State?.Name
    if (state === undefined || state === 'terminated') return
    if (Date.now() > end)
      throw new KitbagError('provider-failed', `aws: ${id} is still ${state} after ${patience / 1_000} s`, {
        retryable: true,
      })
  }
}
