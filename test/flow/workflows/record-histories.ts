import { writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Client } from '@temporalio/client'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'

const folder = new URL('../../histories/', import.meta.url)
const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Larger ones tell nothing new and would fill the repository. */
const mostEvents = 500

/**
 * Writes the histories of these workflows to test/histories/, where replay.test.ts reads them. For a new way through the workflow, or a
 * new history beside the old one after a change: what is there already stands for workflows that run at somebody's, and stays.
 */
export async function recordHistories(client: Client, workflowIds: string[]): Promise<void> {
  for (const id of workflowIds) {
    const history = await client.workflow.getHandle(id).fetchHistory()
    if ((history.events?.length ?? 0) > mostEvents) continue
    const text = historyToJSON(history).replaceAll(`${process.pid}@${hostname()}`, 'worker').replaceAll(root, '')
    await writeFile(new URL(`${id}.json`, folder), `${text}\n`)
  }
}
