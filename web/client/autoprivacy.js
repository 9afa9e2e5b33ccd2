// Private classification by a server that sees neither the picture nor the answer: the client for web pages.
//
//   const client = await AutoPrivacy.connect('wss://host:9000', { package: 'https://host:9000/client.apm' });
//   await client.prepare(1);                                   // before there is a picture
//   const { label, name, logits, bytes, messages } = await client.classify(imageData);
//
// docs/browser.md says what a page needs for it; autoprivacy.d.ts has the types.
import { makeRing } from './frames.js';

const MAX_PACKAGE_BYTES = 32 << 20;
const DEADLINE_MS = 60_000;
const CONNECT_MS = 10_000;

/** What went wrong: a sentence, and whose fault it is. */
export class AutoPrivacyError extends Error {
  constructor(message, code) {
    super(message);
    this.name = 'AutoPrivacyError';
    /** 'internal', 'input', 'peer' or 'security'. */
    this.code = code;
  }
}

const CODES = { 1: 'internal', 2: 'input', 3: 'peer', 4: 'security' };

function require(condition, message, code = 'input') {
  if (!condition) throw new AutoPrivacyError(message, code);
}

async function bytesOf(source) {
  if (source instanceof ArrayBuffer) return source.slice(0);
  if (ArrayBuffer.isView(source)) return source.buffer.slice(source.byteOffset, source.byteOffset + source.byteLength);
  const response = await fetch(source);
  require(response.ok, `the server has no ${source}: status ${response.status}`, 'peer');
  const parts = [];
  let bytes = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts).arrayBuffer();
    bytes += value.length;
    require(bytes <= MAX_PACKAGE_BYTES, `${source} has more than the ${MAX_PACKAGE_BYTES} bytes that a client's package may have`, 'peer');
    parts.push(value);
  }
}

/** Calls a worker and waits for its answers; one that has died answers nothing any more. */
class Caller {
  #worker;
  #waiting = new Map();
  #next = 1;
  #dead = null;

  constructor(worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => {
      const { resolve, reject } = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.message === undefined) resolve(data);
      else reject(new AutoPrivacyError(data.message, CODES[data.status] ?? 'internal'));
    };
    worker.onerror = (event) => this.end(`the client's worker failed: ${event.message ?? 'it could not be loaded'}`);
  }
  call(name, values = {}, transfer = []) {
    if (this.#dead) return Promise.reject(this.#dead);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, name, values }, transfer);
    });
  }
  end(message) {
    this.#dead ??= new AutoPrivacyError(message, 'internal');
    for (const { reject } of this.#waiting.values()) reject(this.#dead);
    this.#waiting.clear();
  }
}

export class AutoPrivacy {
  #session;
  #socket;
  #caller;
  #closed = false;

  /** What the package says: `{ id, name, input, classes, labels, framing, reveals }`. */
  network;

  /** Loads the program and the package, opens the connection and greets the server. */
  static async connect(url, options = {}) {
    require(globalThis.crossOriginIsolated === true,
      'this page is not cross-origin isolated, so its workers cannot share memory; serve it with the headers ' +
      'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, over HTTPS');
    require(options.package !== undefined, 'give the package of the client, or where it lies: { package }');
    const target = new URL(url, globalThis.location?.href);
    target.protocol = target.protocol.replace(/^http/, 'ws');
    require(target.protocol === 'wss:', `${url} is no wss:// address`);
    const client = new AutoPrivacy();
    try {
      await client.#open(target.href, options);
    } catch (error) {
      client.#stop();
      throw error;
    }
    return client;
  }

  async #open(url, { package: source, onTraffic, deadline = DEADLINE_MS, wait = CONNECT_MS }) {
    this.#session = new Worker(new URL('./session.js', import.meta.url), { type: 'module' });
    this.#socket = new Worker(new URL('./socket.js', import.meta.url), { type: 'module' });
    this.#caller = new Caller(this.#session);
    const file = await bytesOf(source);
    this.network = (await this.#caller.call('open', { file }, [file])).value;
    const ring = makeRing();
    const { port1, port2 } = new MessageChannel();
    await new Promise((resolve, reject) => {
      this.#socket.onerror = (event) => reject(new AutoPrivacyError(`the worker of the connection failed: ${event.message}`, 'internal'));
      this.#socket.onmessage = ({ data }) => {
        if (data.traffic) onTraffic?.(data.traffic);
        if (data.open) resolve();
        if (data.failed !== undefined) reject(new AutoPrivacyError(
          `no connection to ${url}${data.failed ? `: ${data.failed}` : ''}; does the server run, and does the browser trust its certificate?`, 'peer'));
      };
      this.#socket.postMessage({ url, ring, port: port1, wait }, [port1]);
    });
    await this.#caller.call('connect', { ring, port: port2, deadline }, [port2]);
  }

  /** Does what needs no picture, for the next `count` pictures; returns how many are prepared. */
  async prepare(count = 1) {
    require(Number.isInteger(count) && count > 0, `${count} is no number of inferences to prepare`);
    let prepared = 0;
    for (let i = 0; i < count; ++i) prepared = (await this.#call('prepare')).value.prepared;
    return prepared;
  }

  /** Classifies a picture: an ImageData, or `{ data, width, height }` with red, green, blue and alpha in bytes. */
  async classify(image) {
    const { width, height } = image;
    const pixels = new Uint8Array(image.data); // a copy, which the worker gets
    const { value, milliseconds } = await this.#call('classify', { pixels, width, height }, [pixels.buffer]);
    const { since, ...answer } = value;
    const differ = (what, way) => since.after[what][way] - since.before[what][way];
    const of = (what) => ({ up: differ(what, 'up'), down: differ(what, 'down') });
    return { ...answer, bytes: of('bytes'), messages: of('messages'), milliseconds };
  }

  /** Says goodbye and ends the workers. */
  async close() {
    if (this.#closed) return;
    try {
      await this.#call('finish');
      await new Promise((resolve) => setTimeout(resolve, 50)); // for the goodbye on its way
    } finally {
      this.#stop();
    }
  }

  #call(name, values, transfer) {
    if (this.#closed) return Promise.reject(new AutoPrivacyError('this client is closed; connect again', 'input'));
    return this.#caller.call(name, values, transfer);
  }
  #stop() {
    this.#closed = true;
    this.#caller?.end('this client is closed; connect again');
    this.#session?.terminate();
    this.#socket?.terminate();
  }
}
