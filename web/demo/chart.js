// Strip charts: bytes to the server above the line, from the server below it, over time.

const NARROWEST = 260, HEIGHT = 170, LEFT = 8, RIGHT = 8, TOP = 18, BOTTOM = 22;
const GRID = 4; // parts of the time
const STRIPS = 60;
const SVG = 'http://www.w3.org/2000/svg';

export function formatBytes(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toPrecision(3)} kB` : `${(bytes / 1e6).toPrecision(3)} MB`;
}

export function formatMilliseconds(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toPrecision(3)} s`;
}

function element(name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

/** Bytes of each strip, by direction; `from` and `to` in the time of frames. */
function strips(frames, from, to) {
  const sums = { up: new Array(STRIPS).fill(0), down: new Array(STRIPS).fill(0) };
  for (const { direction, bytes, at } of frames) {
    const strip = Math.floor(((at - from) / (to - from)) * STRIPS);
    sums[direction][Math.min(STRIPS - 1, Math.max(0, strip))] += bytes;
  }
  return sums;
}

/** Draws the frames of one phase. */
export function draw(svg, frames, name) {
  const wide = Math.max(NARROWEST, svg.clientWidth); // one unit is one pixel, so that text keeps its size
  svg.setAttribute('viewBox', `0 0 ${wide} ${HEIGHT}`);
  svg.replaceChildren();
  const middle = TOP + (HEIGHT - TOP - BOTTOM) / 2, half = middle - TOP;
  for (let i = 0; i <= GRID; ++i) {
    const x = LEFT + (i / GRID) * (wide - LEFT - RIGHT);
    svg.append(element('line', { class: 'grid', x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }));
  }
  svg.append(element('line', { class: 'axis', x1: LEFT, x2: wide - RIGHT, y1: middle, y2: middle }));
  if (frames.length === 0) {
    svg.setAttribute('aria-label', `${name}: nothing sent yet`);
    svg.append(element('text', { x: wide / 2, y: middle - 6, 'text-anchor': 'middle' }, 'nothing yet'));
    return;
  }
  const from = frames[0].at, to = Math.max(from + 1, frames.at(-1).at + 1);
  const sums = strips(frames, from, to);
  const most = Math.max(...sums.up, ...sums.down);
  const width = (wide - LEFT - RIGHT) / STRIPS;
  for (const direction of ['up', 'down']) {
    sums[direction].forEach((bytes, i) => {
      if (bytes === 0) return;
      const height = Math.max(1.5, (bytes / most) * half);
      svg.append(element('rect', {
        class: `bar ${direction}`, x: LEFT + i * width, width: width * 0.8, height, y: direction === 'up' ? middle - height : middle,
      }));
    });
  }
  const span = to - from;
  const total = (way) => formatBytes(frames.reduce((sum, frame) => sum + (frame.direction === way ? frame.bytes : 0), 0));
  svg.append(element('text', { x: LEFT, y: 12 }, `↑ ${total('up')} to the server`));
  svg.append(element('text', { x: wide - RIGHT, y: 12, 'text-anchor': 'end' }, `tallest ${formatBytes(most)}`));
  svg.append(element('text', { x: LEFT, y: HEIGHT - 6 }, `↓ ${total('down')} from it`));
  svg.append(element('text', { x: wide - RIGHT, y: HEIGHT - 6, 'text-anchor': 'end' }, formatMilliseconds(span)));
  svg.setAttribute('aria-label', `${name}: ${total('up')} to the server and ${total('down')} from it in ${formatMilliseconds(span)}`);
}

const BINS = 32, SPREAD_WIDTH = 128, SPREAD_HEIGHT = 34;

/** How often each brightness occurs in an ImageData: what a picture has in few places, noise has everywhere. */
export function spread(svg, { data }) {
  const counts = new Array(BINS).fill(0);
  for (let i = 0; i < data.length; ++i) if (i % 4 !== 3) ++counts[(data[i] * BINS) >> 8];
  const most = Math.max(...counts), width = SPREAD_WIDTH / BINS;
  svg.setAttribute('viewBox', `0 0 ${SPREAD_WIDTH} ${SPREAD_HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.replaceChildren(...counts.map((count, i) => {
    const height = (count / most) * SPREAD_HEIGHT;
    return element('rect', { x: i * width, width: width * 0.8, y: SPREAD_HEIGHT - height, height });
  }));
}
