import type { JumpHost } from '../../lib/jump-host.ts'
import type { ProviderEnvironment } from '../contract.ts'
import type { Ec2 } from './client.ts'
import type { InstanceReader } from './instance-reader.ts'
import type { AwsSettings } from './settings.ts'

/** One connected `aws` cloud. */
export interface AwsCloud {
  name: string
  installation: string
  settings: AwsSettings
  ec2: Ec2
  instances: InstanceReader
  /** What SSH goes through; absent: nothing. */
  jump?: JumpHost
  log: ProviderEnvironment['log']
}
