import { type Document, isMap, isSeq, parseDocument, type YAMLMap } from 'yaml'
import type { JsonObject } from '../model/json.ts'

/**
 * A blueprint's text with one toolkit service's section put in, replaced, or (null) taken out; everything else, comments too, stays as it
 * is written. One service of a kind is the section itself, several are a list of named ones. The text has to be a blueprint that is
 * right; what becomes of it is checked as any other. Pure.
 */
export function withSection(text: string, { kind, name, nameOf }: ServicePlace, section: JsonObject | null): string {
  const document = parseDocument(text)
  const all = entriesOf(document, kind, nameOf)
  const entries = all.filter((entry) => entry.name !== name)
  const place = all.findIndex((entry) => entry.name === name)
  if (section !== null)
    entries.splice(place < 0 ? entries.length : place, 0, { name, value: section, named: nameOf?.(section) === name })
  write(document, kind, entries)
  return document.toString({ lineWidth: 0 })
}

export interface ServicePlace {
  kind: string
  name: string
  /** Names an entry of a list that has no `name`. */
  nameOf?: ((section: Record<string, unknown>) => string | undefined) | undefined
}

interface Entry {
  name: string
  /** A node of the document, or a new section. */
  value: unknown
  /** Whether it has its name without saying so. */
  named: boolean
}

function entriesOf(document: Document, kind: string, nameOf: ServicePlace['nameOf']): Entry[] {
  const node = document.getIn(['toolkit', kind], true)
  if (node === undefined) return []
  if (!isSeq(node)) return [{ name: kind, value: node, named: false }]
  return node.items.map((item) => {
    const map = item as YAMLMap
    const name = map.has('name') ? map.get('name') : nameOf?.(map.toJSON())
    return { name: String(name), value: item, named: !map.has('name') }
  })
}

function write(document: Document, kind: string, entries: Entry[]): void {
  const [only] = entries
  if (!only) {
    document.deleteIn(['toolkit', kind])
    const rest = document.get('toolkit')
    if (isMap(rest) && rest.items.length === 0) document.delete('toolkit')
    return
  }
  if (!isMap(document.get('toolkit'))) document.set('toolkit', document.createNode({}))
  const value =
    entries.length === 1 && only.name === kind ? unnamed(only) : entries.map((entry) => named(document, entry))
  document.setIn(['toolkit', kind], document.createNode(value))
}

function unnamed({ value }: Entry): unknown {
  if (isMap(value)) value.delete('name')
  return value
}

function named(document: Document, { name, value, named: already }: Entry): unknown {
  if (already) return value
  if (!isMap(value)) return { name, ...(value as JsonObject) }
  if (!value.has('name')) value.items.unshift(document.createPair('name', name))
  return value
}
