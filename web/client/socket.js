// The worker that owns the connection. It passes frames on, in both directions, and counts what goes by; it cannot read
// any of it, since what is secret in a frame is encrypted or masked before it comes here.
import { RingWriter } from './frames.js';

const MAX_FRAME_BYTES = 1 << 20; // docs/wire-format.md, "Framing"
const HEADER_BYTES = 10;
const MAX_KEPT_BYTES = 256 << 20; // as the native client; a browser cannot stop a server that goes on sending
const GOODBYE_MS = 1000;
const REPORT_MS = 40;
const MASKED_INPUT = 0x0210;

let socket = null;
let session = null; // port to the worker with the session
let ring = null;
let kept = [];
let keptBytes = 0;
let over = false;

// ---- what goes by ----

const remaining = { up: 0, down: 0 }; // bytes that are due of the message under way
let seen = [];
let reporting = false;

/** Notes a frame: of which message it is, and when. */
function note(direction, frame) {
  const entry = { direction, bytes: frame.length, at: performance.timeOrigin + performance.now() };
  if (remaining[direction] === 0 && frame.length >= HEADER_BYTES) {
    const view = new DataView(frame.buffer, frame.byteOffset, HEADER_BYTES);
    entry.type = view.getUint16(0, true);
    entry.message = HEADER_BYTES + Number(view.getBigUint64(2, true));
    remaining[direction] = entry.message;
    if (entry.type === MASKED_INPUT && direction === 'up') entry.masked = frame.slice(HEADER_BYTES);
  }
  remaining[direction] = Math.max(0, remaining[direction] - frame.length);
  seen.push(entry);
  if (reporting) return;
  reporting = true;
  setTimeout(report, REPORT_MS);
}

function report() {
  reporting = false;
  if (seen.length > 0) postMessage({ traffic: seen });
  seen = [];
}

// ---- the connection ----

function finish(why) {
  if (over) return;
  over = true;
  ring.setReason(why);
  if (keptBytes === 0) ring.end();
  report();
}

function drain() {
  while (kept.length > 0 && ring.write(kept[0])) keptBytes -= kept.shift().length;
  ring.setKept(kept.length > 0);
  if (over && kept.length === 0) ring.end();
}

function received(data) {
  if (over) return;
  if (!(data instanceof ArrayBuffer) || data.byteLength === 0 || data.byteLength > MAX_FRAME_BYTES) {
    socket.close();
    finish('it sent a frame that the protocol does not have');
    return;
  }
  const frame = new Uint8Array(data);
  note('down', frame);
  if (kept.length === 0 && ring.write(frame)) return;
  kept.push(frame);
  keptBytes += frame.length;
  ring.setKept(true);
  drain(); // the reader may have taken something in between
  if (keptBytes > MAX_KEPT_BYTES) {
    socket.close();
    kept = [];
    keptBytes = 0;
    ring.setKept(false);
    finish('it sent more than anybody has asked for');
  }
}

function fromSession({ data }) {
  if (data.frame) {
    if (over || socket.readyState !== WebSocket.OPEN) return;
    note('up', data.frame);
    socket.send(data.frame);
  } else if (data.drain) {
    drain();
  } else if (data.close) {
    socket.close(1000);
    setTimeout(() => finish('the goodbye was not answered'), GOODBYE_MS);
  }
}

function open({ url, ring: shared, port, wait }) {
  ring = new RingWriter(shared);
  session = port;
  session.onmessage = fromSession;
  socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const late = setTimeout(() => socket.close(), wait);
  let opened = false;
  socket.onopen = () => {
    opened = true;
    clearTimeout(late);
    postMessage({ open: true });
  };
  socket.onmessage = (event) => received(event.data);
  socket.onclose = (event) => {
    clearTimeout(late);
    if (!opened) postMessage({ failed: event.reason });
    finish(event.reason || (event.wasClean ? '' : 'the connection broke'));
  };
}

onmessage = ({ data }) => open(data);
