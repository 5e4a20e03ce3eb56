import { createDefaultHttpClient, createPipelineRequest } from '@azure/core-rest-pipeline'
import { refuseForbidden } from './answers.ts'
import type { Azure } from './azure.ts'
import { found } from './failures.ts'
import { parseMachineId } from './names.ts'

/** What a machine has written to its serial console, whosever it is. undefined: nothing yet, or no such machine. */
export async function readConsole(azure: Azure, id: string): Promise<string | undefined> {
  const names = parseMachineId(azure, id)
  if (!names) return undefined
  const { compute, settings } = azure
  const where = await found(() => compute.virtualMachines.retrieveBootDiagnosticsData(names.group, names.vm))
  const url = where?.serialConsoleLogBlobUri
  if (url === undefined) return undefined
  refuseForbidden(url)
  // Without a token: the address itself is the permission, and it is another server's.
  const { certificateAuthority: ca } = settings
  const request = createPipelineRequest({ url, method: 'GET', timeout: 30_000 })
  if (ca !== undefined) request.tlsSettings = { ca }
  const { status, bodyAsText } = await createDefaultHttpClient().sendRequest(request)
  return status === 200 ? (bodyAsText ?? undefined) : undefined
}
