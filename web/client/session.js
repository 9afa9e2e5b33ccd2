// The worker that runs the client. Its calls wait for the server, which is what workers are for: the page goes on.
import createProgram from './program.js';
import { RingReader } from './frames.js';

const MAX_FRAME_BYTES = 1 << 20;

/** What the program sends to and receives from: `Module.channel` of channel_library.js. */
class Channel {
  #ring = null;
  #port = null;

  attach(ring, port) {
    this.#ring = new RingReader(ring);
    this.#port = port;
  }
  send(bytes) {
    const frame = bytes.slice(); // the program's memory is its own
    this.#port.postMessage({ frame }, [frame.buffer]);
    return 0;
  }
  receive(memory, at, wait) {
    const got = this.#ring.read(memory, at, MAX_FRAME_BYTES, wait);
    if (got >= 0 && this.#ring.kept) this.#port.postMessage({ drain: true });
    return got;
  }
  close() {
    this.#port?.postMessage({ close: true });
  }
  reason() {
    return this.#ring.reason();
  }
}

const channel = new Channel();
const starting = createProgram({ channel });

class SessionError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Calls an export; what it says, read as JSON. */
function call(program, name, ...values) {
  const status = program[`_ap_${name}`](...values);
  const text = program.UTF8ToString(program._ap_text());
  if (status !== 0) throw new SessionError(text, status);
  return JSON.parse(text);
}

/** Calls an export with bytes in front of other values. They are overwritten afterwards. */
function callWith(program, name, bytes, ...values) {
  const at = program._malloc(bytes.length);
  if (at === 0) throw new SessionError('the browser gave no more memory', 1);
  program.HEAPU8.set(bytes, at);
  try {
    return call(program, name, at, bytes.length, ...values);
  } finally {
    program.HEAPU8.fill(0, at, at + bytes.length);
    program._free(at);
  }
}

const requests = {
  open: (program, { file }) => callWith(program, 'open', new Uint8Array(file)),
  connect: (program, { ring, port, deadline }) => {
    channel.attach(ring, port);
    return call(program, 'connect', deadline);
  },
  prepare: (program) => call(program, 'prepare'),
  classify: (program, { pixels, width, height }) => {
    const before = call(program, 'traffic');
    const answer = callWith(program, 'classify', new Uint8Array(pixels.buffer), width, height);
    const after = call(program, 'traffic');
    return { ...answer, since: { before, after } };
  },
  finish: (program) => call(program, 'finish'),
};

onmessage = async ({ data: { id, name, values } }) => {
  try {
    const program = await starting;
    const before = performance.now();
    const value = requests[name](program, values);
    postMessage({ id, value, milliseconds: performance.now() - before });
  } catch (error) {
    postMessage({ id, message: String(error.message ?? error), status: error.status ?? 1 });
  }
};
