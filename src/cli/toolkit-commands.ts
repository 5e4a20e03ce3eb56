import type { Client } from '../api/client.ts'
import type { FieldSchema } from './field-value.ts'

/** A route of a toolkit service as the control plane's OpenAPI document describes it for the CLI. */
export interface ToolkitCommandRoute {
  name: string
  summary: string
  command: string
  /** Kind of the service: `loadBalancer`. */
  kind: string
  fixed?: Record<string, unknown>
  /** Field of the body that a last argument fills: the text of the file that it names (`-`: standard input). */
  file?: string
  /** Field of the body that a last argument fills: the digest of an archive that holds the file that it names, uploaded. */
  archive?: string
  /** Field of the answer that is printed as it is. */
  text?: string
  method: string
  path: string
  /** Fields of its body with their schemas, for `--set`. */
  fields: Record<string, FieldSchema>
}

interface DescribedOperation {
  'x-kitbag-cli'?: Omit<ToolkitCommandRoute, 'method' | 'path' | 'fields'>[]
  requestBody?: { content?: Record<string, { schema?: { properties?: Record<string, FieldSchema> } }> }
}

/** Every word of one toolkit command (`lb`), as this control plane has them. */
export async function toolkitCommands(client: Client, command: string): Promise<ToolkitCommandRoute[]> {
  const document = await client.json<{ paths: Record<string, Record<string, DescribedOperation>> }>(
    'GET',
    '/openapi.json',
  )
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { 'x-kitbag-cli': words = [], requestBody }]) =>
      words
        .filter((word) => word.command === command)
        .map((word) => ({
          ...word,
          method,
          path,
          fields: requestBody?.content?.['application/json']?.schema?.properties ?? {},
        })),
    ),
  )
}

/** Path parameters after the deployment and the service, and the file that fills the body. */
export function argumentsOf({ path, file, archive }: ToolkitCommandRoute): string[] {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => (match[1] ?? '').toUpperCase()).slice(2)
  return (file ?? archive) === undefined ? names : [...names, 'FILE']
}

/** `DEPLOYMENT BACKEND SERVER --set weight=... --set state=...` */
export function usageOf(route: ToolkitCommandRoute): string {
  const open = Object.keys(route.fields).filter((field) => field !== route.file && field !== route.archive)
  const sets = route.fixed === undefined ? open.map((field) => `[--set ${field}=...]`) : []
  return ['DEPLOYMENT', ...argumentsOf(route), ...sets].join(' ')
}
