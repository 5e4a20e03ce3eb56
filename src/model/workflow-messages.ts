/** What starters and signallers of the operation workflow share with it. In model, because both sides may import that. */

/** The one task queue that workers poll. */
export const taskQueue = 'kitbag'

/** Workflow type; its id is the operation's id. */
export const operationWorkflowType = 'operation'

/** Signal without arguments: stop starting units, stop running ones between two resources, undo. */
export const cancelSignal = 'cancel'

/** Task queue of the activities that watch: they go on for hours, and must not take the places of operations' units. */
export const watchTaskQueue = 'kitbag-watch'

/** Workflow type of a deployment's watch. */
export const watchWorkflowType = 'watch'

/** One watch per deployment at most. */
export function watchWorkflowId(deploymentId: string): string {
  return `watch_${deploymentId}`
}

export interface WatchInput {
  deploymentId: string
}

export interface OperationInput {
  operationId: string
}
