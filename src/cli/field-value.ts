/** As much of a field's JSON Schema as tells how its value is written on a command line. */
export interface FieldSchema {
  type?: string
  anyOf?: FieldSchema[]
  items?: FieldSchema
}

function takesText({ type, anyOf = [] }: FieldSchema): boolean {
  return type === 'string' || anyOf.some(takesText)
}

/**
 * A value as `--set` gives it. Where the field takes text it stays as it was written (`1.10` is no number); else it is JSON where it
 * can be read as such. A list may be JSON, or one entry.
 */
export function fieldValue(schema: FieldSchema, text: string): unknown {
  const structured = /^[[{]/.test(text)
  if (takesText(schema) && !structured) return text
  if (schema.type === 'array' && !structured) return [fieldValue(schema.items ?? {}, text)]
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
