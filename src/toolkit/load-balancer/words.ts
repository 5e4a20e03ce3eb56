import { KitbagError } from '../../model/errors.ts'

/**
 * One word of haproxy.cfg. The section's schema has admitted nothing that would need more than quotes; what an older release or a
 * component brings along is refused here. Throws `invalid-request` naming the place.
 */
export function word(text: string, place: string): string {
  if (/^[A-Za-z0-9._~/?&=%+:@!*,;-]+$/.test(text)) return text
  if (/^[A-Za-z0-9._~/?&=%+:@!*,; -]+$/.test(text)) return `"${text}"`
  throw new KitbagError(
    'invalid-request',
    `${place}: ${JSON.stringify(text.slice(0, 80))} has characters that HAProxy's configuration gives a meaning`,
    { fix: 'Use letters, digits and ._~/?&=%+:@!*,;-' },
  )
}
