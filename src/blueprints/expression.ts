import type { Concat, Reference } from '../model/value.ts'

export class ExpressionSyntaxError extends Error {}

const pathPattern = /^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)+$/

/**
 * Reads the `${...}` of one text: `${db.url}` alone becomes a reference that keeps its type, inside other text a part of it; `$${` stands
 * for a literal `${`. Only names joined by dots are known inside. Throws ExpressionSyntaxError.
 */
export function parseExpression(text: string): string | Reference | Concat {
  if (!text.includes('${')) return text
  const parts: (string | Reference)[] = []
  let plain = ''
  for (let i = 0; i < text.length; ) {
    if (text.startsWith('$${', i)) {
      plain += '${'
      i += 3
    } else if (text.startsWith('${', i)) {
      const end = text.indexOf('}', i)
      if (end < 0) throw new ExpressionSyntaxError('`${` without `}`; for the text itself write `$${`')
      const path = text.slice(i + 2, end).trim()
      if (!pathPattern.test(path)) {
        throw new ExpressionSyntaxError(
          `\`\${${path}}\` is not a name of the form component.output; for the text itself write \`$\${\``,
        )
      }
      if (plain !== '') parts.push(plain)
      plain = ''
      parts.push({ $ref: path })
      i = end + 1
    } else plain += text[i++]
  }
  if (plain !== '') parts.push(plain)
  const [only] = parts
  if (parts.length === 0) return ''
  return parts.length === 1 && only !== undefined ? only : { $concat: parts }
}
