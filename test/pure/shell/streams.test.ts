import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLineSplitter } from '../../../src/shell/lines.ts'
import { createTail } from '../../../src/shell/tail.ts'

/** Cuts bytes at the given places. */
function chunks(bytes: Buffer, cuts: number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((start, i) => bytes.subarray(start, places[i] ?? bytes.length))
}

describe('lines', () => {
  test('come out the same wherever the chunks are cut, also inside a character', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary' }).map((line) => line.replaceAll('\n', ''))),
        fc.array(fc.nat(), { maxLength: 30 }),
        (lines, cuts) => {
          const seen: string[] = []
          const write = createLineSplitter((line) => seen.push(line))
          for (const chunk of chunks(Buffer.from(lines.map((line) => `${line}\n`).join('')), cuts)) write(chunk)
          expect(seen).toEqual(lines)
        },
      ),
    )
  })

  test('a last line without newline is none', () => {
    const seen: string[] = []
    createLineSplitter((line) => seen.push(line))(Buffer.from('whole\r\ncut'))
    expect(seen).toEqual(['whole\r'])
  })

  test('an endless line does not pile up', () => {
    const seen: number[] = []
    const write = createLineSplitter((line) => seen.push(line.length))
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    for (let i = 0; i < 40; i++) write(chunk)
    expect(seen).toEqual([16 * 1024 * 1024, 16 * 1024 * 1024])
  })
})

describe('tail', () => {
  test('is the last bytes, whatever the chunks', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 300 }), fc.array(fc.nat()), (text, cuts) => {
        const tail = createTail(64)
        for (const chunk of chunks(Buffer.from(text), cuts)) tail.add(chunk)
        expect(tail.text()).toBe(text.slice(-64))
      }),
    )
  })

  test('begins with a whole character', () => {
    const tail = createTail(5)
    tail.add(Buffer.from('ab🎒🎒'))
    expect(tail.text()).toBe('🎒')
  })
})
