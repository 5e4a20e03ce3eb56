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
  /** Field of the answer's rows that is a list: a line for each of its entries. */
  each?: string
  /** Fields that last arguments fill. */
  arguments?: string[]
  /** Fields of the body that options of their names fill: the text of the file that each names. */
  files?: string[]
  method: string
  path: string
  /** Whether it answers with an operation. */
  operation: boolean
  /** Fields of its query or its body with their schemas, for `--set`. */
  fields: Record<string, FieldSchema>
}

interface DescribedOperation {
  'x-kitbag-cli'?: Omit<ToolkitCommandRoute, 'method' | 'path' | 'fields' | 'operation'>[]
  responses?: Record<string, unknown>
  parameters?: { in: string; name: string; schema: FieldSchema }[]
  requestBody?: { content?: Record<string, { schema?: { properties?: Record<string, FieldSchema> } }> }
}

/** Every word of one toolkit command (`lb`), as this control plane has them. */
export async function toolkitCommands(client: Client, command: string): Promise<ToolkitCommandRoute[]> {
  const document = await client.json<{ paths: Record<string, Record<string, DescribedOperation>> }>(
    'GET',
    '/openapi.json',
  )
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(
      ([method, { 'x-kitbag-cli': words = [], parameters = [], requestBody, responses = {} }]) =>
        words
          .filter((word) => word.command === command)
          .map((word) => ({
            ...word,
            method,
            path,
            operation: Object.hasOwn(responses, '202'),
            fields:
              requestBody?.content?.['application/json']?.schema?.properties ??
              Object.fromEntries(
                parameters.filter((one) => one.in === 'query').map(({ name, schema }) => [name, schema]),
              ),
          })),
    ),
  )
}

/** Path parameters after the deployment and the service, fields that arguments fill, and the file that fills the body. */
export function argumentsOf({ path, file, archive, arguments: fields = [] }: ToolkitCommandRoute): string[] {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').slice(2)
  return [...names, ...fields].map((name) => name.toUpperCase()).concat((file ?? archive) === undefined ? [] : ['FILE'])
}

/** `DEPLOYMENT BACKEND SERVER --set weight=... --set state=...` */
export function usageOf(route: ToolkitCommandRoute): string {
  const files = route.files ?? []
  const given = [route.file, route.archive, ...files, ...(route.arguments ?? [])]
  const open = Object.keys(route.fields).filter((field) => !given.includes(field))
  const sets = route.fixed === undefined ? open.map((field) => `[--set ${field}=...]`) : []
  return ['DEPLOYMENT', ...argumentsOf(route), ...files.map((field) => `--${field} FILE`), ...sets].join(' ')
}
