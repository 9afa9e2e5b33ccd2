// The ring through which frames go from the worker with the connection to the one with the session (web/client/frames.js),
// under Node.js: node --test tests/web/frames_test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { makeRing, RingReader, RingWriter } from '../../web/client/frames.js';

const MOST = 1 << 20;

function frameOf(bytes, seed) {
  const frame = new Uint8Array(bytes);
  for (let i = 0; i < bytes; ++i) frame[i] = i * 31 + (i >> 8) + seed * 7;
  return frame;
}

function readNext(reader, wait = 0) {
  const target = new Uint8Array(MOST + 5).fill(170);
  const bytes = reader.read(target, 5, MOST, wait);
  assert.deepEqual([...target.subarray(0, 5)], [170, 170, 170, 170, 170], 'nothing in front of the place');
  return bytes < 0 ? bytes : target.slice(5, 5 + bytes);
}

test('frames come out as they went in, over the end of the ring and beyond 2^32 bytes', () => {
  const ring = makeRing();
  new Int32Array(ring.control).fill(-1000, 0, 2); // both positions shortly before their overflow
  const writer = new RingWriter(ring), reader = new RingReader(ring);
  for (let i = 0; i < 8; ++i) {
    const frames = [1, 11, 400_001, MOST].map((bytes) => frameOf(bytes, i));
    for (const frame of frames) assert.ok(writer.write(frame));
    for (const frame of frames) assert.equal(Buffer.compare(readNext(reader), frame), 0);
  }
  assert.equal(readNext(reader), RingReader.deadline);
});

test('what does not fit is refused whole, and fits when something was taken', () => {
  const ring = makeRing();
  const writer = new RingWriter(ring), reader = new RingReader(ring);
  let written = 0;
  while (writer.write(frameOf(MOST, written))) ++written;
  assert.equal(written, 3); // of 4 MiB, each with its length
  writer.setKept(true);
  assert.ok(reader.kept);
  assert.equal(Buffer.compare(readNext(reader), frameOf(MOST, 0)), 0);
  assert.ok(writer.write(frameOf(MOST, 3)));
  for (const seed of [1, 2, 3]) assert.equal(Buffer.compare(readNext(reader), frameOf(MOST, seed)), 0);
});

test('the end comes behind all frames, with its reason', () => {
  const ring = makeRing();
  const writer = new RingWriter(ring), reader = new RingReader(ring);
  writer.write(frameOf(10, 1));
  writer.setReason('the server is stopping; connect again');
  writer.end();
  assert.deepEqual(readNext(reader), frameOf(10, 1));
  assert.equal(readNext(reader, 1000), RingReader.ended);
  assert.equal(reader.reason(), 'the server is stopping; connect again');
  writer.setReason('x'.repeat(5000));
  assert.equal(reader.reason().length, 512);
});

test('a frame larger than the reader has room for is an error', () => {
  const ring = makeRing();
  new RingWriter(ring).write(frameOf(100, 1));
  assert.throws(() => new RingReader(ring).read(new Uint8Array(50), 0, 50, 0), /100 bytes/);
});

test('a reader that waits is woken by another thread', async () => {
  const ring = makeRing();
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ RingReader }) => {
      const reader = new RingReader(workerData.ring), sizes = [], area = new Uint8Array(${MOST});
      parentPort.postMessage('reading');
      for (let bytes; (bytes = reader.read(area, 0, area.length, 20000)) >= 0;) sizes.push(bytes);
      parentPort.postMessage(sizes);
    });`;
  const module = new URL('../../web/client/frames.js', import.meta.url).href;
  const worker = new Worker(code, { eval: true, workerData: { ring, module } });
  const sizes = await new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', async (message) => {
      if (message !== 'reading') return resolve(message);
      const writer = new RingWriter(ring);
      for (let i = 1; i <= 300; ++i) {
        while (!writer.write(frameOf(i * 100, i))) await new Promise((next) => { setTimeout(next, 1); });
        if (i % 50 === 0) await new Promise((next) => { setTimeout(next, 2); });
      }
      writer.end();
    });
  });
  assert.deepEqual(sizes, Array.from({ length: 300 }, (_, i) => (i + 1) * 100));
  await worker.terminate();
});
