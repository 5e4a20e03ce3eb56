import type { Family } from '../support/bench.ts'
import { awsThrottled } from './aws-throttled.ts'
import { certificateChange } from './certificate-change.ts'
import { changesUnderLoad } from './changes-under-load.ts'
import { check } from './check.ts'
import { cloudCalls } from './cloud-calls.ts'
import { dns } from './dns.ts'
import { firstDeploys } from './first-deploy.ts'
import { guestbookAws } from './guestbook-aws.ts'
import { loadBalancer } from './load-balancer.ts'
import { loadStep } from './load-step.ts'
import { memory } from './memory.ts'
import { ownedMachines } from './owned-machines.ts'
import { redeploy } from './redeploy.ts'
import { resources18 } from './resources18.ts'
import { sdks } from './sdks.ts'
import { start } from './start.ts'
import { toolkitOverhead } from './toolkit-overhead.ts'
import { twoHundred } from './two-hundred.ts'
import { underLoadFamily } from './under-load.ts'
import { watchers } from './watchers.ts'

/** In the order in which they run: those that share a control plane first. */
export const families: Family[] = [
  resources18,
  check,
  ...firstDeploys,
  ownedMachines,
  redeploy,
  underLoadFamily,
  changesUnderLoad,
  certificateChange,
  dns,
  loadBalancer,
  toolkitOverhead,
  loadStep,
  start,
  sdks,
  memory,
  watchers,
  twoHundred,
  guestbookAws,
  awsThrottled,
  ...cloudCalls,
]
