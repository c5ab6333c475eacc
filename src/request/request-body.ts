import type { RequestFlow } from './request-flow.js'

/** The request's body as a web stream that is pulled: nothing is read ahead of its reader. */
export function toBody(flow: RequestFlow<unknown>): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      type: 'bytes',
      async pull(controller) {
        const chunk = await flow.next()
        if (chunk) {
          controller.enqueue(own(chunk))
          return
        }
        controller.close()
        controller.byobRequest?.respond(0)
      },
      cancel: () => flow.discard(),
    },
    { highWaterMark: 0 },
  )
}

/** A byte stream transfers the memory it is given, which must hold nobody else's bytes. */
function own(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = chunk.buffer.byteLength === chunk.byteLength
  return whole ? (chunk as Uint8Array<ArrayBuffer>) : new Uint8Array(chunk)
}
