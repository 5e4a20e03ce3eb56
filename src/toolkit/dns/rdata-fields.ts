import { isIPv4, isIPv6 } from 'node:net'
import type { DomainName } from './name.ts'
import { quoteString } from './text-fields.ts'

/** What a field of a record's content is. Each gives its canonical text, or throws RangeError saying what it must be. */
export type Reader = (text: string, zone: DomainName, raw: boolean) => string

/** A whole number from 0 to `most`. */
export const integer =
  (most: number, what: string): Reader =>
  (text) => {
    if (/^\d{1,10}$/.test(text) && Number(text) <= most) return String(Number(text))
    throw new RangeError(`${what} must be a number from 0 to ${most}, found ${text.slice(0, 40)}`)
  }

export const u8 = (what: string) => integer(255, what)

export const u16 = (what: string) => integer(65_535, what)

/** Bytes as hexadecimal digits. */
export const hex =
  (what: string): Reader =>
  (text) => {
    if (/^(?:[0-9a-f]{2})+$/i.test(text)) return text.toLowerCase()
    throw new RangeError(`${what} must be hexadecimal, found ${text.slice(0, 40)}`)
  }

/** A word that the expression takes. */
export const oneOf =
  (what: string, words: RegExp): Reader =>
  (text) => {
    if (words.test(text)) return text
    throw new RangeError(`${what} is not allowed: ${text.slice(0, 40)}`)
  }

/** One character string. */
export const string: Reader = (text) => {
  if (text.length > 255) throw new RangeError(`a text of ${text.length} bytes: 255 are allowed`)
  return quoteString(text)
}

/** An address of one family, without a scope. */
export function addressField(family: 'IPv4' | 'IPv6'): Reader {
  const fits = family === 'IPv4' ? isIPv4 : isIPv6
  return (text) => {
    if (fits(text) && !text.includes('%')) return text.toLowerCase()
    throw new RangeError(`must be an ${family} address, found ${text.slice(0, 80)}`)
  }
}
