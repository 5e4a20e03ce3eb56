export {
  cancelSignal,
  type OperationInput,
  operationWorkflowType,
  taskQueue,
  type WatchInput,
  watchTaskQueue,
} from '../model/workflow-messages.ts'
