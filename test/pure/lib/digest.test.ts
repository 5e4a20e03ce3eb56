import { expect, test } from 'vitest'
import { digestOf, sha256 } from '../../../src/lib/digest.ts'

test('equal values have equal digests whatever the order of their keys; others have not', () => {
  expect(digestOf({ a: 1, b: [{ d: 2, c: undefined }] })).toBe(digestOf({ b: [{ d: 2 }], a: 1 }))
  expect(digestOf({ a: '1' })).not.toBe(digestOf({ a: 1 }))
  expect(digestOf([1, 2])).not.toBe(digestOf([2, 1]))
  expect(sha256('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
})
