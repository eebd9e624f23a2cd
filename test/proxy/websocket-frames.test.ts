import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { closeFrame, createFrameTracker } from '../../src/proxy/websocket-frames.ts'
import { encodeFrame, frameSizes } from './websocket-stream.ts'

const payloadSizes = fc.oneof(
  fc.nat(300),
  fc.constantFrom(0, 125, 126, 127, 65_535, 65_536),
  fc.integer({ min: 65_530, max: 66_000 }),
)
const dataFrames = fc.record({
  opcode: fc.constantFrom(0, 1, 2),
  isFinal: fc.boolean(),
  reserved: fc.integer({ min: 0, max: 7 }),
  isMasked: fc.boolean(),
  payloadBytes: payloadSizes,
})
const controlFrames = fc.record({
  opcode: fc.constantFrom(8, 9, 10),
  isFinal: fc.constant(true),
  reserved: fc.constant(0),
  isMasked: fc.boolean(),
  payloadBytes: fc.nat(125),
})
const streams = fc
  .array(fc.oneof(dataFrames, controlFrames), { maxLength: 6 })
  .map((frames) => Buffer.concat(frames.map(encodeFrame)))
const streamsWithNonsense = fc
  .tuple(streams, fc.uint8Array({ maxLength: 40 }))
  .map(([stream, bytes]) => Buffer.concat([stream, bytes]))

function split(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const offsets = [...new Set([0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length])].sort(
    (a, b) => a - b,
  )
  return offsets.slice(1).map((end, i) => stream.subarray(offsets[i], end))
}

const cuts = fc.array(fc.nat(200_000), { maxLength: 12 })

test('at the end of every chunk the tracker agrees with a parser that reads the stream from its start', () => {
  fc.assert(
    fc.property(fc.oneof(streams, streamsWithNonsense), cuts, (stream, at) => {
      const tracker = createFrameTracker()
      let read = 0
      for (const chunk of split(stream, at)) {
        tracker.advance(chunk)
        read += chunk.length
        const expected = frameSizes(stream.subarray(0, read))
        assert.equal(tracker.position, expected.position)
        assert.equal(tracker.closePassed, expected.closes > 0)
      }
    }),
    { numRuns: 500 },
  )
})

test('single bytes are followed as well as whole chunks', () => {
  fc.assert(
    fc.property(streams, (stream) => {
      const head = stream.subarray(0, 2_000)
      const tracker = createFrameTracker()
      for (let i = 0; i < head.length; i++) tracker.advance(head.subarray(i, i + 1))
      assert.equal(tracker.position, frameSizes(head).position)
    }),
    { numRuns: 100 },
  )
})

test('the first boundary of a chunk is found wherever the chunk begins', () => {
  fc.assert(
    fc.property(streams, fc.nat(400_000), (stream, at) => {
      const cut = at % (stream.length + 1)
      const tracker = createFrameTracker()
      tracker.advance(stream.subarray(0, cut))
      const taken = tracker.advanceToBoundary(stream.subarray(cut))
      const boundary = frameSizes(stream).boundaries.find((offset) => offset >= cut)
      assert.equal(cut + taken, boundary)
      assert.equal(tracker.position, 'boundary')
    }),
    { numRuns: 500 },
  )
})

for (const { name, bytes } of [
  { name: 'a reserved data opcode', bytes: [0x83, 0x00] },
  { name: 'a reserved control opcode', bytes: [0x8b, 0x00] },
  { name: 'a control frame in fragments', bytes: [0x09, 0x00] },
  { name: 'a control frame of more than 125 bytes', bytes: [0x89, 126] },
  { name: 'a 16-bit length that needs 7 bits', bytes: [0x82, 126, 0, 125] },
  { name: 'a 64-bit length that needs 16 bits', bytes: [0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff] },
  { name: 'a 64-bit length with its highest bit set', bytes: [0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0] },
]) {
  test(`after ${name} no boundary is claimed any more`, () => {
    const tracker = createFrameTracker()
    tracker.advance(Buffer.from(bytes))
    assert.equal(tracker.position, 'lost')
    tracker.advance(closeFrame(1000, { mask: false }))
    assert.equal(tracker.position, 'lost')
    assert.equal(tracker.closePassed, false)
    assert.equal(tracker.advanceToBoundary(Buffer.alloc(10)), 10)
  })
}

test('a Close passed only when its last byte did', () => {
  const tracker = createFrameTracker()
  const frame = closeFrame(1000, { mask: true })
  tracker.advance(frame.subarray(0, -1))
  assert.equal(tracker.closePassed, false)
  tracker.advance(frame.subarray(-1))
  assert.equal(tracker.closePassed, true)
})

test('a length of four gigabytes is counted, not cut to 32 bits', () => {
  const tracker = createFrameTracker()
  tracker.advance(Buffer.from([0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0]))
  const quarter = Buffer.alloc(2 ** 20)
  for (let i = 0; i < 4095; i++) tracker.advance(quarter)
  assert.equal(tracker.advanceToBoundary(Buffer.alloc(2 ** 20 + 7)), 2 ** 20)
})

test('a Close frame has the code in two bytes', () => {
  assert.deepEqual([...closeFrame(1001, { mask: false })], [0x88, 0x02, 0x03, 0xe9])
})

test('a masked Close frame has a key of its own each time, and the code under it', () => {
  const frames = Array.from({ length: 8 }, () => closeFrame(1001, { mask: true }))
  for (const frame of frames) {
    assert.deepEqual([...frame.subarray(0, 2)], [0x88, 0x82])
    assert.equal(frame.readUInt16BE(6) ^ frame.readUInt16BE(2), 1001)
  }
  assert.equal(new Set(frames.map((frame) => frame.toString('hex'))).size, 8)
})

for (const code of [0, 999, 1004, 1005, 1006, 1015, 5000, 1000.5, Number.NaN]) {
  test(`close code ${code} cannot be sent`, () => {
    assert.throws(() => closeFrame(code, { mask: false }), RangeError)
  })
}
