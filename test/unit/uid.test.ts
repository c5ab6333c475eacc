import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatUid, isUid, parseUid, StreamManager, type StreamUid } from '../../dist/index.js'

const invalid = expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_UID' }) as Error

describe('the text form of a uid', () => {
  it('comes back as the uid it was made from', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), (value) => {
        const text = formatUid(value as StreamUid)
        expect(text).toMatch(/^[0-9a-f]{16}$/)
        expect(parseUid(text)).toBe(value)
      }),
    )
  })

  it('is nothing but 16 lower-case hexadecimal digits, and not zero', () => {
    const wrong = [
      '',
      '1',
      '0'.repeat(16),
      'A'.repeat(16),
      `0x${'1'.repeat(14)}`,
      '1'.repeat(17),
      ` ${'1'.repeat(15)}`,
      5,
      null,
      undefined,
      1n,
    ]
    for (const value of wrong) {
      expect(isUid(value)).toBe(false)
      expect(() => parseUid(value as string)).toThrowError(invalid)
    }
    for (const value of [0n, -1n, 2n ** 64n, 5, '1'.repeat(16)]) {
      expect(() => formatUid(value as StreamUid)).toThrowError(invalid)
    }
  })
})

describe('what is no uid', () => {
  it('is refused by every call that takes one', async () => {
    const manager = StreamManager.open()
    const bare: unknown = Object.create(null)
    for (const value of [0n, -1n, 2n ** 64n, 1, '0001004000000000', undefined, null, {}, bare]) {
      const uid = value as StreamUid
      expect(() => manager.find(uid)).toThrowError(invalid)
      expect(() => manager.has(uid)).toThrowError(invalid)
      expect(() => manager.get(uid)).toThrowError(invalid)
      expect(() => manager.send(uid, 'x')).toThrowError(invalid)
      expect(() => manager.close(uid)).toThrowError(invalid)
    }
    await manager.close()
  })

  it('differs from one of a stream that never was, which is just gone', async () => {
    const manager = StreamManager.open()
    const uid = parseUid('ffffffffffffffff')
    expect(manager.find(uid)).toBeUndefined()
    expect(manager.has(uid)).toBe(false)
    expect(manager.get(uid)).toBeUndefined()
    expect(manager.send(uid, 'x')).toBe('gone')
    expect(manager.close(uid)).toBe(false)
    await manager.close()
  })
})
