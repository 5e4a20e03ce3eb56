import type { Api } from '../deps.ts'

const description = [
  'Deploys an application with its own toolkit to any cloud.',
  'A change answers 202 with an operation, which can be waited for, followed and cancelled.',
  'Errors are problem details (RFC 9457) with a stable `code`.',
].join(' ')

const tags = [
  { name: 'Deployments', description: 'What shall be, what is, and the difference' },
  { name: 'Operations', description: 'Every change of the world: submit, wait, follow, cancel' },
  { name: 'Releases', description: 'What a deployment was to be, numbered' },
  { name: 'Secrets', description: 'Values that blueprints name and nobody reads back' },
  { name: 'Blobs', description: 'Folders as archives, by their digest' },
  { name: 'Clouds', description: 'Connected sources of machines' },
  { name: 'Tokens', description: 'Who may call this' },
  { name: 'Service', description: 'The control plane itself' },
]

/** The OpenAPI document of everything that is mounted. */
export function openApiDocument(api: Api, version: string) {
  const document = api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Kitbag',
      version,
      description,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
  })
  const used = Object.values(document.paths ?? {}).flatMap((path) =>
    Object.values(path as Record<string, { tags?: string[] }>).flatMap((operation) => operation.tags ?? []),
  )
  const own = [...new Set(used)].filter((name) => tags.every((tag) => tag.name !== name)).map((name) => ({ name }))
  return { ...document, tags: [...tags, ...own] }
}

export type OpenApiDocument = ReturnType<typeof openApiDocument>
