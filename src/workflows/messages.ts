export { cancelSignal, type OperationInput, operationWorkflowType, taskQueue } from '../model/workflow-messages.ts'
