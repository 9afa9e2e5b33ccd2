// A drawing pad: white ink on black, as the pictures of handwritten digits and of clothing are that small networks are
// trained on. By pointer, by keyboard, and with pictures from files.

const PEN = 22; // of 280
const STEP = 10; // of a key
const MAX_SIDE = 1024; // of a picture that is kept as it came

export class Pad {
  #canvas;
  #context;
  #last = null;
  #cursor = null; // where the keyboard's pen stands, and whether it is down
  #picture = null; // the picture last dropped, while nothing was drawn on it
  #ink; // what the canvas shows without the cursor

  /** `changed` is called with the pad after every change. */
  constructor(canvas, changed) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { willReadFrequently: true });
    this.#ink = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    this.changed = changed;
    this.clear();
    canvas.addEventListener('pointerdown', (event) => this.#pointer(event, true));
    canvas.addEventListener('pointermove', (event) => this.#pointer(event, false));
    for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, () => { this.#last = null; });
    canvas.addEventListener('keydown', (event) => this.#key(event));
    canvas.addEventListener('blur', () => { this.#cursor = null; this.#show(); });
  }

  clear() {
    this.#ink.fillStyle = '#000';
    this.#ink.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#picture = null;
    this.empty = true;
    this.#show();
  }

  invert() {
    const { width, height } = this.#canvas;
    const image = this.#ink.getImageData(0, 0, width, height);
    for (let i = 0; i < image.data.length; ++i) if (i % 4 !== 3) image.data[i] = 255 - image.data[i];
    this.#ink.putImageData(image, 0, 0);
    this.#picture = null;
    this.empty = false;
    this.#show();
  }

  /** Shows the middle square of a picture. */
  async load(file) {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
    const kept = new OffscreenCanvas(Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
    kept.getContext('2d').drawImage(bitmap, 0, 0, kept.width, kept.height);
    const side = Math.min(kept.width, kept.height);
    this.clear();
    this.#ink.imageSmoothingEnabled = side > this.#canvas.width; // a picture of few pixels keeps them
    this.#ink.drawImage(kept, (kept.width - side) / 2, (kept.height - side) / 2, side, side, 0, 0, this.#canvas.width, this.#canvas.height);
    this.#picture = kept;
    this.empty = false;
    this.#show();
  }

  /** What is drawn, or the whole of the picture that was loaded. */
  get drawn() { return this.#ink.canvas; }
  get picture() { return this.#picture; }

  #show() {
    this.#context.drawImage(this.#ink.canvas, 0, 0);
    if (this.#cursor) {
      this.#context.beginPath();
      this.#context.arc(this.#cursor.x, this.#cursor.y, PEN / 2, 0, 2 * Math.PI);
      this.#context.lineWidth = 2;
      this.#context.strokeStyle = this.#cursor.down ? '#5aa9f0' : '#9aa7b4';
      this.#context.stroke();
    }
    this.changed?.(this);
  }

  #stroke(from, to) {
    this.#ink.lineWidth = PEN;
    this.#ink.lineCap = 'round';
    this.#ink.strokeStyle = '#fff';
    this.#ink.beginPath();
    this.#ink.moveTo(from.x, from.y);
    this.#ink.lineTo(to.x, to.y + 0.01); // a point is seen too
    this.#ink.stroke();
    this.#picture = null;
    this.empty = false;
    this.#show();
  }

  #pointer(event, begins) {
    if (begins && event.button === 0) {
      this.#canvas.setPointerCapture(event.pointerId);
    } else if (this.#last === null) {
      return;
    }
    const box = this.#canvas.getBoundingClientRect();
    const scale = this.#canvas.width / box.width;
    const at = { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
    this.#stroke(this.#last ?? at, at);
    this.#last = at;
  }

  #key(event) {
    const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    const { width, height } = this.#canvas;
    const before = this.#cursor ?? { x: width / 2, y: height / 2, down: false };
    if (moves[event.key]) {
      const [dx, dy] = moves[event.key];
      this.#cursor = { x: Math.min(width, Math.max(0, before.x + dx)), y: Math.min(height, Math.max(0, before.y + dy)), down: before.down };
      if (before.down) this.#stroke(before, this.#cursor);
      else this.#show();
    } else if (event.key === ' ') {
      this.#cursor = { ...before, down: !before.down };
      if (this.#cursor.down) this.#stroke(this.#cursor, this.#cursor);
      else this.#show();
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
  }
}
