import { isIPv4, isIPv6 } from 'node:net'

/** Formats of text that parameters and recipes may ask for. */
export const formats = {
  hostname: (text) => text.length <= 253 && /^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/i.test(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  email: (text) => text.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(text),
  uri: (text) => URL.canParse(text),
} as const satisfies Record<string, (text: string) => boolean>

export const formatNames = Object.keys(formats) as (keyof typeof formats)[]

export function hasFormat(format: string, text: string): boolean {
  return Object.hasOwn(formats, format) ? formats[format as keyof typeof formats](text) : true
}
