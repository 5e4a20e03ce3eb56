/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What ends lines, words, quotes, formats and braces of haproxy.cfg, or is one of its own words. */
const hostile = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\0',
    '\t',
    '\u0085',
    '\u2028',
    ' ',
    '  ',
    '"',
    "'",
    '`',
    '\\',
    '#',
    '$',
    '${HOME}',
    '{',
    '}',
    '[',
    ']',
  ],
  ...[
    '%[src]',
    '%ci',
    '%%',
    '<',
    '>',
    '|',
    '(',
    ')',
    '^',
    'é',
    '😀',
    '\u202e',
    '<<',
    ' if TRUE',
    ' unless { src 0/0 }',
    '\n    bind :1',
  ],
]

/** What a field may well take, words and signs that could be meant otherwise among it. */
const harmless = [
  ...'abcxyzABCXYZ0189'.split(''),
  ...[
    '.',
    '_',
    '~',
    '/',
    '?',
    '&',
    '=',
    '%',
    '+',
    ':',
    '@',
    '!',
    '*',
    ',',
    ';',
    '-',
    '--',
    '-f',
    '-i',
    '-m',
    'if',
    'unless',
    'or',
    '%2e',
    '%ci',
    '..',
    '//',
  ],
]

/** Random texts of 1 to 12 parts; every second one only of parts that fields take. */
export function randomTexts(count: number, random: () => number): string[] {
  const pick = (list: string[]) => list[Math.floor(random() * list.length)] ?? ''
  return Array.from({ length: count }, (_, i) => {
    const length = 1 + Math.floor(random() * 12)
    const parts = Array.from({ length }, () => pick(harmless))
    if (i % 2 === 0) parts.splice(Math.floor(random() * parts.length), 1, pick(hostile))
    return parts.join('')
  })
}
