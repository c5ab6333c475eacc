/** Memory that both sides see. The addon keeps a reference; its address never changes. */

/** Batches coming in: `kMaxRecords` records of `kRecordWords` 32-bit words, then payload bytes. */
export const arena = Buffer.from(new ArrayBuffer(1 << 20))
export const arenaWords = new Uint32Array(arena.buffer)
export const kRecordWords = 8

/** Texts of a call going out: tags, or event, id and data of a message. */
export const scratch = Buffer.from(new ArrayBuffer(64 << 10))

/** An encoded message for a stream of this thread. */
export const local = Buffer.from(new ArrayBuffer(64 << 10))

/** Results of a call: a handle, a flag, options, or up to 64 streams' facts. */
export const frame = Buffer.from(new ArrayBuffer(376 * 64))
export const frameWords = new Uint32Array(frame.buffer)
export const frameNumbers = new Float64Array(frame.buffer)
export const frameUids = new BigUint64Array(frame.buffer)
