import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { quote, type ShellText, sh } from '../../../src/lib/sh.ts'

/** What a real shell makes of the words, byte for byte: each followed by NUL. */
function expand(words: ShellText, shell = '/bin/sh'): string[] {
  // On standard input, as programs travel; the environment holds what an injection would need.
  const script = `set -- ${words}\nfor word do printf '%s\\0' "$word"; done\n`
  const answer = execFileSync(shell, [], { input: script, env: { PATH: '/usr/bin:/bin' }, maxBuffer: 64 * 1024 * 1024 })
  return answer.toString('utf8').split('\0').slice(0, -1)
}

const nasty = [
  '',
  ' ',
  "'",
  "''",
  `"`,
  '\\',
  "\\'",
  '$(touch /tmp/x)',
  '`touch /tmp/x`',
  '$HOME',
  '${IFS}',
  '*',
  '~',
  '-n',
  '--',
  '#',
  '!history',
  'a\nb',
  '\n',
  'end\n\n',
  '\t\r\x07',
  '\x1b[31mred\x1b[0m',
  '{{..}}',
  '; rm -rf /',
  '&& true',
  'ünïcödé 🎒',
  '\u2028',
  'x'.repeat(65_536),
]

const text = fc.string({ unit: 'binary', maxLength: 60 }).filter((value) => !value.includes('\0'))

describe('quote', () => {
  test.each(['/bin/sh', '/bin/bash'])('known nasty values arrive byte for byte through %s', (shell) => {
    expect(expand(sh`${nasty}`, shell)).toEqual(nasty)
  })

  test('any text arrives byte for byte', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 50 }), (values) => {
        expect(expand(sh`${values}`)).toEqual(values)
      }),
      { numRuns: 60 },
    )
  })

  test('text made of what shells treat specially arrives byte for byte', () => {
    const special = fc.string({ unit: fc.constantFrom(...`'"\\$\`!*?[]{}()<>|&;#~= \n\t\r-a`), maxLength: 30 })
    fc.assert(
      fc.property(fc.array(special, { minLength: 1, maxLength: 100 }), (values) => {
        expect(expand(sh`${values}`)).toEqual(values)
      }),
      { numRuns: 100 },
    )
  })

  test.each([
    ['NUL', 'a\0b', /a NUL character/],
    ['half a surrogate pair', 'a\ud800b', /half of a surrogate pair/],
  ])('%s is refused, and the value is not shown', (_, value, message) => {
    expect(() => quote(value)).toThrow(message)
    expect(() => quote(value)).not.toThrow('a\0b')
  })
})

describe('sh', () => {
  test.each<[string, () => ShellText, string]>([
    ['a value', () => sh`install -d -- ${'/a b'}`, "install -d -- '/a b'"],
    ['a value joined to constant text', () => sh`--identifier=${'web'}.service`, "--identifier='web'.service"],
    ['an array', () => sh`rm -f ${['a', "b'c"]}`, "rm -f 'a' 'b'\\''c'"],
    ['an empty array', () => sh`set -- ${[]}`, 'set -- '],
    ['a number', () => sh`head -n ${20}`, "head -n '20'"],
    ['shell text as it is', () => sh`sudo -n ${sh`sh -c ${'a b'}`}`, "sudo -n sh -c 'a b'"],
    ['shell text as one value', () => sh`sh -c ${sh`echo ${'a b'}`.text}`, "sh -c 'echo '\\''a b'\\'''"],
    ['shell text in an array', () => sh`${[sh`a`, 'b']}`, "a 'b'"],
    ['quotes in the constant part', () => sh`printf '%s' "$x" ${'y'} # it's fine`, `printf '%s' "$x" 'y' # it's fine`],
    ['substitution in the constant part', () => sh`x=$(cat -- ${'f'})`, "x=$(cat -- 'f')"],
  ])('%s', (_, make, expected) => {
    expect(make().text).toBe(expected)
    expect(`${make()}`).toBe(expected)
  })

  test.each<[string, () => ShellText, RegExp]>([
    ['inside double quotes', () => sh`echo "${'x'}"`, /value 1 stands inside double quotes/],
    ['inside single quotes', () => sh`echo '${'x'}'`, /value 1 stands inside single quotes/],
    ['in a comment', () => sh`true # ${'x'}`, /value 1 stands inside a comment/],
    ['after a dollar', () => sh`echo $${'x'}`, /right after \$/],
    ['after a backslash', () => sh`echo \\${'x'}`, /right after \\/],
    ['in backquotes', () => sh`echo \`cat ${'x'}\``, /backquotes/],
    ['in a here-document', () => sh`cat <<EOF\n${'x'}\nEOF`, /here-document/],
    ['quotes left open', () => sh`echo 'x`, /single quotes are not closed/],
    ['no value at all', () => sh`echo ${undefined as unknown as string}`, /a value is undefined/],
    ['not a number', () => sh`echo ${Number.NaN}`, /a value is NaN/],
    ['an object that only looks like shell text', () => sh`${{ text: '$(id)' } as unknown as ShellText}`, /a value is/],
  ])('refuses a value %s', (_, make, message) => {
    expect(make).toThrow(message)
  })
})
