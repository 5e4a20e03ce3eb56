import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { operationWorkflowType, taskQueue } from '../../../src/model/workflow-messages.ts'
import { type Installation, startInstallation } from '../../support/installation.ts'
import { until } from '../../support/until.ts'
import { after, atGate, gatedBlueprint, openGate } from '../faults/gate.ts'
import { noMachines } from '../providers/local-box.ts'

/** As somebody else on this box writes it, who can reach the embedded server and has no key. */
const unencrypted = (value: unknown) => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
})

/** COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK of https://github.com/temporalio/api */
const scheduleActivityTask = 1

describe.skipIf(noMachines)(
  `an unencrypted payload put into the queue from outside${noMachines ? ` (${noMachines})` : ''}`,
  () => {
    let box: Installation
    let connection: Connection
    let client: Client

    beforeAll(async () => {
      box = await startInstallation()
      const port = readFileSync(join(box.home, 'temporal/port'), 'utf8').trim()
      connection = await Connection.connect({ address: `127.0.0.1:${port}` })
      client = new Client({ connection })
    })

    afterAll(async () => {
      await connection?.close()
      await box?.stop()
    })

    const eventsOf = async (workflowId: string) => {
      const { history } = await connection.workflowService.getWorkflowExecutionHistory({
        namespace: 'default',
        execution: { workflowId },
      })
      return history?.events ?? []
    }

    test('as a workflow and as an activity: refused, the worker lives on and its operation ends well', async () => {
      const folder = gatedBlueprint(after)
      onTestFinished(folder.remove)
      const operation = await box.deploy('under-attack', folder.blueprint)
      await box.begun(operation, 'box-1/install')
      const guest = await box.guest('under-attack', 'box-1')
      await atGate(guest)

      await client.workflow.start(operationWorkflowType, {
        workflowId: 'foreign-workflow',
        taskQueue,
        args: [{ operationId: operation.id }],
      })
      await until(async () =>
        (await eventsOf('foreign-workflow')).some((event) => event.workflowTaskFailedEventAttributes),
      )
      expect((await eventsOf('foreign-workflow')).some((event) => event.activityTaskScheduledEventAttributes)).toBe(
        false,
      )

      // It would end the operation's row.
      await scheduleActivity('finishOperation', [operation.id, 'cancelled', []])
      await until(async () =>
        (await eventsOf('foreign-activity')).some((event) => event.activityTaskFailedEventAttributes),
      )
      expect((await box.operation(operation.id)).status).toBe('running')

      await openGate(guest)
      expect((await box.finished(operation)).error).toBeNull()
      await expect.poll(box.plane.output).toContain('refused an unencrypted payload')
      await client.workflow.getHandle('foreign-workflow').terminate()
      expect((await box.finished(await box.submit('under-attack', { kind: 'destroy' }))).error).toBeNull()
    })

    /** A workflow of the attacker's own, on a queue of his own, asks the worker's queue for an activity. */
    async function scheduleActivity(name: string, args: unknown[]): Promise<void> {
      const { workflowService } = connection
      const own = { namespace: 'default', identity: 'somebody' }
      await client.workflow.start('anything', { workflowId: 'foreign-activity', taskQueue: 'foreign', args: [] })
      const { taskToken } = await connection.withDeadline(Date.now() + 120_000, () =>
        workflowService.pollWorkflowTaskQueue({ ...own, taskQueue: { name: 'foreign' } }),
      )
      const limit = { seconds: 120 as never }
      await workflowService.respondWorkflowTaskCompleted({
        ...own,
        taskToken,
        commands: [
          {
            commandType: scheduleActivityTask,
            scheduleActivityTaskCommandAttributes: {
              activityId: '1',
              activityType: { name },
              taskQueue: { name: taskQueue },
              input: { payloads: args.map(unencrypted) },
              startToCloseTimeout: limit,
              scheduleToCloseTimeout: limit,
              retryPolicy: { maximumAttempts: 1 },
            },
          },
        ],
      })
    }
  },
)
