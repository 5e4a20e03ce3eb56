import type { OpenApiDocument } from './openapi-document.ts'

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const html = (text: string) => text.replace(/[&<>"]/g, (c) => escapes[c] ?? c)

interface Operation {
  tags?: string[]
  summary?: string
  description?: string
  parameters?: { name: string; in: string; description?: string }[]
}

/** The OpenAPI document as a page for people: every route with its summary and its parameters. */
export function docsPage(document: OpenApiDocument): string {
  const rows = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) => ({ path, method, ...operation })),
  )
  const sections = [...new Set(rows.map(({ tags }) => tags?.[0] ?? 'Other'))].map((tag) => {
    const items = rows
      .filter(({ tags }) => (tags?.[0] ?? 'Other') === tag)
      .map(({ method, path, summary, description, parameters }) => {
        const names = (parameters ?? [])
          .filter((p) => p.in !== 'path')
          .map((p) => `<code>${html(p.name)}</code>${p.description ? ` ${html(p.description)}` : ''}`)
        return `<dt><b>${method.toUpperCase()}</b> <code>${html(path)}</code></dt><dd>${html(summary ?? '')}${description ? `<br>${html(description)}` : ''}${names.length > 0 ? `<br><small>${names.join('; ')}</small>` : ''}</dd>`
      })
    return `<h2>${html(tag)}</h2><dl>${items.join('')}</dl>`
  })
  const style =
    'body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}dt{margin-top:1rem}code{background:#eee8;padding:0 .2em}'
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Kitbag API</title><style>${style}</style><h1>Kitbag API</h1><p>Every request carries <code>Authorization: Bearer TOKEN</code>. Bodies and schemas: <a href="/openapi.json">/openapi.json</a>.</p>${sections.join('')}</html>`
}
