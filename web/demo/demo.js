// The page: one picture, one private answer, and what was sent for it.
import { AutoPrivacy } from './client/autoprivacy.js';
import { draw, formatBytes, formatMilliseconds, spread } from './chart.js';
import { Pad } from './pad.js';
import { inputOf, isDigits, maskedPicture, show } from './pictures.js';

const SHOWN_SCORES = 10;
const SHOWN_BYTES = 24;
const LAST_FRAMES_MS = 60; // until they are told of
const by = (id) => document.getElementById(id);

let client = null;
let preparing = null; // a promise of the next prepared inference
// What is sent of an inference; `online`: when its picture came, in the time of frames.
const newInference = () => ({ frames: [], online: Infinity, masked: null });
let current = newInference(); // the one that is prepared or under way
let shown = current; // in the charts: the last one with an answer stays until the next picture is sent
const pad = new Pad(by('pad'), preview);

function say(text, state = '') {
  by('status').textContent = text;
  by('status').className = state;
}

/** Which of the three steps is under way, from 1; 4: all are done. */
function step(now) {
  [...by('how').children].forEach((item, i) => { item.className = i + 1 < now ? 'done' : i + 1 === now ? 'now' : ''; });
}

// ---- pictures ----

function preview(pad) {
  by('ghost').hidden = !pad.empty;
  if (!client) return;
  const image = inputOf(pad, client.network);
  show(by('input'), image);
  spread(by('spread-input'), image);
}

async function take(file) {
  try {
    await pad.load(file);
  } catch {
    say(`${file.name} is no picture that this browser can read.`, 'bad');
  }
}

// ---- what is sent ----

function traffic(seen) {
  current.frames.push(...seen);
  current.masked ??= seen.find((frame) => frame.masked)?.masked;
  if (shown === current) requestAnimationFrame(charts);
}

function charts() {
  const { frames, online } = shown;
  draw(by('chart-offline'), frames.filter((frame) => frame.at < online), 'Before the picture');
  draw(by('chart-online'), frames.filter((frame) => frame.at >= online), 'With the picture');
}

// ---- the answer ----

function scoreBar(name, score, share, best) {
  const row = document.createElement('li');
  if (best) row.className = 'best';
  const label = Object.assign(document.createElement('span'), { className: 'name', textContent: name, title: name });
  const value = Object.assign(document.createElement('span'), { className: 'value', textContent: score.toFixed(2) });
  const bar = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  bar.setAttribute('viewBox', '0 0 100 10');
  bar.setAttribute('preserveAspectRatio', 'none');
  bar.setAttribute('aria-hidden', 'true');
  const rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  for (const [key, at] of Object.entries({ width: Math.max(0.5, 100 * share), height: 10, rx: 1 })) rect.setAttribute(key, at);
  bar.append(rect);
  row.append(label, bar, value);
  return row;
}

function showAnswer(answer) {
  const { labels } = client.network;
  by('answer').textContent = answer.label < 0 ? 'no class' : labels.length > 0 ? answer.name : `class ${answer.name}`;
  if (isDigits(client.network)) by('answer').textContent = answer.name;
  const order = answer.scores.map((score, i) => ({ score, i })).sort((a, b) => b.score - a.score).slice(0, SHOWN_SCORES);
  const sum = answer.scores.reduce((total, score) => total + Math.exp(score - order[0].score), 0);
  by('scores').replaceChildren(...order.map(({ score, i }) =>
    scoreBar(labels[i] ?? String(i), score, Math.exp(score - order[0].score) / sum, i === answer.label)));
  const { channels, width, height } = client.network.input;
  const much = answer.saturated > 0.01 * channels * width * height;
  by('warning').hidden = !much && answer.label >= 0;
  by('warning').textContent = answer.label < 0 ? 'The server does not follow the protocol: trust none of its answers.'
    : 'The picture has values unlike those that the network was made for; the answer may mean little.';
  by('time-offline').textContent = formatMilliseconds(1000 * answer.offline.seconds);
  by('time-online').textContent = formatMilliseconds(1000 * answer.online.seconds);
  by('bytes-up').textContent = formatBytes(answer.offline.up + answer.online.up);
  by('bytes-down').textContent = formatBytes(answer.offline.down + answer.online.down);
  by('found').hidden = false;
  by('how').hidden = true;
  by('messages').textContent = String(shown.frames.filter((frame) => frame.message !== undefined).length);
}

function showMasked(payload) {
  const image = maskedPicture(payload, client.network.input);
  show(by('masked'), image);
  spread(by('spread-masked'), image);
  const bytes = [...payload.subarray(0, SHOWN_BYTES)].map((byte) => byte.toString(16).padStart(2, '0'));
  by('first-bytes').textContent = `${bytes.join(' ')} …`;
  by('first-bytes').parentElement.hidden = false;
}

// ---- the course of things ----

function prepare() {
  preparing = client.prepare(1);
  preparing.then(() => {
    if (current.online === Infinity) {
      say('Prepared: the next picture takes a moment only.');
      step(2);
    }
  }, fail);
}

function fail(error) {
  by('classify').disabled = true;
  say(`${error.message}`, 'bad');
}

async function classify() {
  if (pad.empty) {
    say('Draw something first, or choose a picture.');
    by('pad').focus();
    return;
  }
  by('classify').disabled = true;
  try {
    const image = inputOf(pad, client.network);
    say('Preparing …', 'busy');
    await preparing;
    say('Classifying …', 'busy');
    step(3);
    shown = current;
    shown.online = performance.timeOrigin + performance.now();
    const answer = await client.classify(image);
    await new Promise((resolve) => { setTimeout(resolve, LAST_FRAMES_MS); });
    current = newInference();
    charts();
    showAnswer(answer);
    if (shown.masked) showMasked(shown.masked);
    document.documentElement.dataset.answers = String(Number(document.documentElement.dataset.answers ?? 0) + 1);
    by('classify').disabled = false;
    prepare();
    say('Done. The next picture gets masks of its own.');
  } catch (error) {
    fail(error);
  }
}

async function start() {
  by('classify').addEventListener('click', classify);
  by('clear').addEventListener('click', () => pad.clear());
  by('invert').addEventListener('click', () => pad.invert());
  by('file').addEventListener('change', (event) => {
    if (event.target.files.length > 0) take(event.target.files[0]);
    event.target.value = '';
  });
  for (const type of ['dragover', 'drop']) addEventListener(type, (event) => event.preventDefault());
  by('pad').addEventListener('dragover', () => by('pad').classList.add('over'));
  for (const type of ['dragleave', 'drop']) by('pad').addEventListener(type, () => by('pad').classList.remove('over'));
  addEventListener('drop', (event) => {
    if (event.dataTransfer.files.length > 0) take(event.dataTransfer.files[0]);
  });
  addEventListener('paste', (event) => {
    if (event.clipboardData?.files.length > 0) take(event.clipboardData.files[0]);
  });
  by('pad').addEventListener('keydown', (event) => { if (event.key === 'Enter' && !by('classify').disabled) classify(); });
  new ResizeObserver(charts).observe(by('chart-offline'));
  try {
    client = await AutoPrivacy.connect('/', { package: 'client.apm', onTraffic: traffic });
    const { input, labels } = client.network;
    by('network').textContent = client.network.id;
    if (isDigits(client.network)) by('picture-hint').textContent = 'Draw a digit, or drop a picture of one.';
    else if (input.channels === 3) by('picture-hint').textContent = `Drop a picture: ${labels.slice(0, 4).join(', ')}${labels.length > 4 ? ' …' : ''}`;
    else if (labels.length > 0) by('picture-hint').textContent = `Draw one of these, or drop a picture: ${labels.join(', ')}.`;
    preview(pad);
    by('classify').disabled = false;
    say('Preparing …', 'busy');
    step(1);
    prepare();
  } catch (error) {
    fail(error);
  }
}

start();
