/** What starters and signallers of the operation workflow share with it. In model, because both sides may import that. */

/** The one task queue that workers poll. */
export const taskQueue = 'kitbag'

/** Workflow type; its id is the operation's id. */
export const operationWorkflowType = 'operation'

/** Signal without arguments: stop starting units, stop running ones between two resources, undo. */
export const cancelSignal = 'cancel'

export interface OperationInput {
  operationId: string
}
