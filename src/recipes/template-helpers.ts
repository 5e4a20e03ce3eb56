import { quote } from '../lib/sh.ts'

/** A value that the target format cannot hold. The message says what was found; the template adds the place. */
export class UnfitValue extends Error {}

function text(value: unknown): string {
  if (typeof value === 'string' || value instanceof String) return String(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const found = value === null || value === undefined ? 'nothing' : Array.isArray(value) ? 'a list' : 'an object'
  throw new UnfitValue(`a text, number or boolean is needed, found ${found}`)
}

function name(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (character === '\n') return 'a newline'
  if (character === '\r') return 'a carriage return'
  if (character === '\t') return 'a tab'
  return `the control character U+${code.toString(16).toUpperCase().padStart(4, '0')}`
}

/** Text without what ends a line or steers a terminal. Line and paragraph separators of Unicode end no line in any of these formats. */
function oneLine(value: unknown): string {
  const result = text(value)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  const bad = /[\u0000-\u001f\u007f-\u009f]/.exec(result)
  if (bad) throw new UnfitValue(`holds ${name(bad[0])}, which a line of this file cannot hold`)
  return result
}

function noNul(value: unknown): string {
  const result = text(value)
  if (result.includes('\0')) throw new UnfitValue('holds the character NUL, which no text file can hold')
  return result
}

function bareWord(value: unknown): string {
  const result = oneLine(value)
  if (!/^[\w.:/@%+,=~*-]+$/.test(result)) {
    throw new UnfitValue(
      `${JSON.stringify(result.slice(0, 40))} is more than one plain word (letters, digits and _.:/@%+,=~*-)`,
    )
  }
  return result
}

/** systemd undoes C escapes in quotes and expands `%` nearly everywhere. */
function systemdWord(value: unknown): string {
  const escapes: Record<string, string> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '"': '\\"', '\\': '\\\\', '%': '%%' }
  const quoted = noNul(value).replace(/[\n\t\r"\\%]/g, (character) => escapes[character] ?? character)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the other control characters become hexadecimal escapes
  return `"${quoted.replace(/[\u0001-\u001f\u007f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`
}

function environmentName(value: unknown): string {
  const result = text(value)
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(result)) {
    throw new UnfitValue(
      `${JSON.stringify(result.slice(0, 80))} is no name of an environment variable (letters, digits and _)`,
    )
  }
  return result
}

/** Helpers that write a value into a file. Each knows one target format and refuses what that cannot hold. */
export const outputHelpers: Record<string, (...values: unknown[]) => string> = {
  /** One word of a POSIX shell script. Holds everything but NUL. */
  sh: (value) => quote(noNul(value)).text,
  /** JSON of any value. */
  json: (value) => JSON.stringify(value ?? null),
  /** One quoted word of a systemd unit (`Environment=`, paths). */
  systemd: systemdWord,
  /** One quoted word of an `ExecStart=` line, where `$` expands too. */
  systemdExec: (value) => systemdWord(value).replaceAll('$', '$$$$'),
  /** The rest of a line of a systemd unit (`Description=`). */
  systemdText: (value) => oneLine(value).replaceAll('%', '%%'),
  /** The value of an `EnvironmentFile=` line, in double quotes. */
  env: (value) => `"${noNul(value).replace(/["\\$`]/g, '\\$&')}"`,
  /** A name of an environment variable. */
  envName: environmentName,
  /** A literal of SQL as PostgreSQL reads it. */
  pg: (value) => {
    const escaped = noNul(value).replaceAll("'", "''")
    return escaped.includes('\\') ? ` E'${escaped.replaceAll('\\', '\\\\')}'` : `'${escaped}'`
  },
  /** An identifier of SQL. */
  pgIdent: (value) => `"${noNul(value).replaceAll('"', '""')}"`,
  /** A value of postgresql.conf. */
  pgConf: (value) => `'${oneLine(value).replaceAll('\\', '\\\\').replaceAll("'", "''")}'`,
  /** One plain word, for files that know no quoting. */
  conf: bareWord,
  /** One word of haproxy.cfg. */
  haproxy: (value) => {
    const word = oneLine(value)
    return /^[\w.:/@%+,=~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
  },
  /** The text as it is, as long as it stays on its line. */
  line: oneLine,
  /** Lines that somebody else has written in the file's own format. */
  lines: noNul,
}

/** Helpers for conditions and arguments: `{{#if (eq a b)}}`. What they give is not written but through an output helper. */
export const valueHelpers: Record<string, (...values: unknown[]) => unknown> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  gt: (a, b) => Number(a) > Number(b),
  lt: (a, b) => Number(a) < Number(b),
  and: (...values) => values.reduce((a, b) => (isTrue(a) ? b : a)),
  or: (...values) => values.reduce((a, b) => (isTrue(a) ? a : b)),
  not: (value) => !isTrue(value),
  join: (list, separator) => {
    if (!Array.isArray(list)) throw new UnfitValue('join needs a list')
    return list.map(text).join(separator === undefined ? ' ' : text(separator))
  },
  /** An address as a network of its own: 10.0.0.5/32. */
  cidr: (address) => (text(address).includes(':') ? `${text(address)}/128` : `${text(address)}/32`),
  /** A shell command that replaces the shell that runs it, where it is a single plain one. */
  exec: (command) => {
    const plain =
      !/[;&|<>()`\n\r{}!]/.test(text(command)) &&
      !/^\s*(\S*=|\.\s|(cd|if|for|while|until|case|exec|set|export)\b)/.test(text(command))
    return plain ? `exec ${text(command)}` : text(command)
  },
  concat: (...values) => values.map(text).join(''),
}

function isTrue(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

/** What a bare `{{x}}` stands for: numbers and booleans are the same in every format, text is not. */
export function plainValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string' || value instanceof String) {
    throw new UnfitValue(
      `is a text: write it through a helper that names the format (${Object.keys(outputHelpers).join(', ')})`,
    )
  }
  return text(value)
}
