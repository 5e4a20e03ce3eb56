import type { ServiceValue } from '../toolkit/contract.ts'

/** Shorter ones, such as the last of a key, tell nothing and would blank out ordinary words. */
const shortestLine = 16

/** Secrets as they are and as recipes put them into URLs, where they are part of an output such as `db.url`. */
export function secretForms(secrets: string[]): string[] {
  const inUrl = (secret: string) =>
    encodeURIComponent(secret.toWellFormed()).replace(
      /[!'()*]/g,
      (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
    )
  return [...new Set(secrets.flatMap((secret) => [secret, inUrl(secret)]))].filter((form) => form !== '')
}

/** Secret values, whole and line by line: what shows a part of a text shows lines. What a public value shows too is none. */
export function secretLines(values: ServiceValue[]): string[] {
  const linesOf = ({ value }: ServiceValue) => value.split('\n').filter((line) => line.length >= shortestLine)
  const open = new Set(values.filter(({ secret }) => !secret).flatMap(linesOf))
  const closed = values.filter(({ secret }) => secret)
  const lines = closed.flatMap(linesOf).filter((line) => !open.has(line) && !line.startsWith('-----'))
  return [...new Set([...closed.map(({ value }) => value), ...lines])]
}
