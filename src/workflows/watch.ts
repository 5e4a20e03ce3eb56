import { ActivityCancellationType, continueAsNew, proxyActivities } from '@temporalio/workflow'
import type { WatchActivities } from '../activities/watch/watch-deployment.ts'
import { type WatchInput, watchTaskQueue } from './messages.ts'

/** Without a heartbeat for so long its worker is taken for dead, and another one watches. */
const { watchDeployment } = proxyActivities<WatchActivities>({
  taskQueue: watchTaskQueue,
  heartbeatTimeout: '25 seconds',
  startToCloseTimeout: '2 days',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 seconds' },
})

/** Watches one deployment for as long as a service of its release wants to. All the work is one activity: it takes no turn here. */
export async function watch({ deploymentId }: WatchInput): Promise<void> {
  if ((await watchDeployment(deploymentId)) === 'again') await continueAsNew<typeof watch>({ deploymentId })
}
