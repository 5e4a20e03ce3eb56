import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Connection } from '@temporalio/client'

/** Events in the history of each run of a workflow, the newest run first, from the control plane's own Temporal. */
export async function historyLengths(home: string, workflowId: string): Promise<number[]> {
  const port = readFileSync(join(home, 'temporal/port'), 'utf8').trim()
  const connection = await Connection.connect({ address: `127.0.0.1:${port}` })
  try {
    const { executions } = await connection.workflowService.listWorkflowExecutions({
      namespace: 'default',
      query: `WorkflowId = '${workflowId}'`,
    })
    return (executions ?? []).map(({ historyLength }) => Number(historyLength))
  } finally {
    await connection.close()
  }
}
