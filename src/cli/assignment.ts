import { KitbagError } from '../model/errors.ts'

/** `k=v`. Throws `invalid-request`. */
export function assignment(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new KitbagError('invalid-request', `"${text}" is not of the form NAME=VALUE`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** `k=v` whose value is JSON where it can be read as such (numbers, lists), else text. */
export function jsonAssignment(text: string): [string, unknown] {
  const [name, value] = assignment(text)
  try {
    return [name, JSON.parse(value)]
  } catch {
    return [name, value]
  }
}
