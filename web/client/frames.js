// Frames that have come, from the worker with the connection to the worker with the session: a ring in shared memory
// with one writer and one reader. The reader may wait for the next frame; the writer never waits: what does not fit yet
// it keeps (socket.js).

const RING_BYTES = 1 << 22; // a power of two, more than the largest frame
const LENGTH_BYTES = 4;

// Words of control. Positions count bytes modulo 2^32.
const WRITTEN = 0;
const READ = 1;
const EVENTS = 2; // rises with every frame and with the end: what a reader waits for
const ENDED = 3;
const KEPT = 4; // the writer keeps frames for which there was no room
const REASON = 5; // bytes of the reason of the end
const WORDS = 6;
const REASON_BYTES = 512;

/** The memory that both workers share. */
export function makeRing() {
  return {
    control: new SharedArrayBuffer(4 * WORDS),
    bytes: new SharedArrayBuffer(RING_BYTES),
    reason: new SharedArrayBuffer(REASON_BYTES),
  };
}

class Ring {
  constructor({ control, bytes, reason }) {
    this.control = new Int32Array(control);
    this.bytes = new Uint8Array(bytes);
    this.reasonBytes = new Uint8Array(reason);
  }
  position(word) {
    return Atomics.load(this.control, word) >>> 0;
  }
  signal() {
    Atomics.add(this.control, EVENTS, 1);
    Atomics.notify(this.control, EVENTS);
  }
}

export class RingWriter extends Ring {
  /** Whether there was room for the frame. */
  write(frame) {
    const written = this.position(WRITTEN);
    const used = (written - this.position(READ)) >>> 0;
    if (used + LENGTH_BYTES + frame.length > RING_BYTES) return false;
    const length = new Uint8Array(LENGTH_BYTES);
    new DataView(length.buffer).setUint32(0, frame.length, true);
    this.put(written, length);
    this.put(written + LENGTH_BYTES, frame);
    Atomics.store(this.control, WRITTEN, (written + LENGTH_BYTES + frame.length) | 0);
    this.signal();
    return true;
  }
  put(position, bytes) {
    const at = position % RING_BYTES;
    const first = Math.min(bytes.length, RING_BYTES - at);
    this.bytes.set(bytes.subarray(0, first), at);
    this.bytes.set(bytes.subarray(first), 0);
  }
  setKept(kept) {
    Atomics.store(this.control, KEPT, kept ? 1 : 0);
  }
  /** Why no frame comes after those that are written, and then that none comes. */
  setReason(text) {
    const bytes = new TextEncoder().encode(text).subarray(0, REASON_BYTES);
    this.reasonBytes.set(bytes);
    Atomics.store(this.control, REASON, bytes.length);
  }
  end() {
    Atomics.store(this.control, ENDED, 1);
    this.signal();
  }
}

export class RingReader extends Ring {
  /**
   * Waits for the next frame and copies it to `target` at `at`. Returns its bytes, or `ended` when all have been read and
   * no more will come, or `deadline` after `wait` milliseconds.
   */
  read(target, at, most, wait) {
    const until = performance.now() + wait;
    for (;;) {
      const events = Atomics.load(this.control, EVENTS);
      const ended = Atomics.load(this.control, ENDED) !== 0;
      const read = this.position(READ);
      if (read !== this.position(WRITTEN)) return this.take(read, target, at, most);
      if (ended && !this.kept) return RingReader.ended;
      const left = until - performance.now();
      if (left <= 0) return RingReader.deadline;
      Atomics.wait(this.control, EVENTS, events, left);
    }
  }
  take(read, target, at, most) {
    const length = new Uint8Array(LENGTH_BYTES);
    this.get(read, length);
    const bytes = new DataView(length.buffer).getUint32(0, true);
    if (bytes > most) throw new Error(`a frame of ${bytes} bytes where at most ${most} are read`);
    this.get(read + LENGTH_BYTES, target.subarray(at, at + bytes));
    Atomics.store(this.control, READ, (read + LENGTH_BYTES + bytes) | 0);
    return bytes;
  }
  get(position, target) {
    const at = position % RING_BYTES;
    const first = Math.min(target.length, RING_BYTES - at);
    target.set(this.bytes.subarray(at, at + first), 0);
    target.set(this.bytes.subarray(0, target.length - first), first);
  }
  reason() {
    // A decoder takes no shared memory.
    return new TextDecoder().decode(this.reasonBytes.slice(0, Atomics.load(this.control, REASON)));
  }
  /** Whether the writer waits for a word that there is room. */
  get kept() {
    return Atomics.load(this.control, KEPT) !== 0;
  }
}
RingReader.ended = -1;
RingReader.deadline = -2;
