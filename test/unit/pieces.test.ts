import { expect, it } from 'vitest'
import { collected } from '../helpers/garbage.js'
import { Pieces } from '../../dist/request/pieces.js'

const numbered = (count: number, size: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => Buffer.alloc(size, i % 251))

function take(pieces: Pieces): Buffer[] {
  const all: Buffer[] = []
  for (let piece; (piece = pieces.shift());) all.push(piece)
  return all
}

it('bytes that come one by one wait together, in order', () => {
  const pieces = new Pieces()
  const bytes = numbered(100_000, 1)
  for (const byte of bytes) pieces.push(byte)
  const taken = take(pieces)
  expect(taken.length).toBeLessThan(30)
  expect(Buffer.concat(taken).equals(Buffer.concat(bytes))).toBe(true)
})

it('what was taken is not changed by what comes', () => {
  const pieces = new Pieces()
  pieces.push(Buffer.from('a'))
  pieces.push(Buffer.from('b'))
  const first = pieces.shift()!
  pieces.push(Buffer.from('c'))
  pieces.push(Buffer.from('d'))
  expect([String(first), ...take(pieces).map(String)]).toEqual(['ab', 'cd'])
})

it('what was taken is let go, though something always waits', async () => {
  const pieces = new Pieces()
  pieces.push(Buffer.alloc(5000))
  const next = (): WeakRef<Buffer> => {
    pieces.push(Buffer.alloc(5000))
    return new WeakRef(pieces.shift()!)
  }
  const taken = Array.from({ length: 10 }, next)
  for (const reference of taken) await collected(reference)
  expect(pieces.shift()?.length).toBe(5000)
})

it('large pieces stay as they are, however many wait', () => {
  const pieces = new Pieces()
  const bytes = numbered(5000, 4000)
  const taken: Buffer[] = []
  for (const [i, piece] of bytes.entries()) {
    pieces.push(piece)
    if (i % 2 === 1) taken.push(pieces.shift()!)
  }
  taken.push(...take(pieces))
  expect(taken.length).toBe(bytes.length)
  expect(taken.every((piece, i) => piece === bytes[i])).toBe(true)
  expect(pieces.shift()).toBeUndefined()
})
