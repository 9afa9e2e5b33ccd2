// From what is drawn to what a network takes, and the bytes of a message as a picture.

const MNIST_SIDE = 28;
const MNIST_BOX = 20; // the longer side of a digit; its centre of mass lies in the middle

/** Whether the classes are the digits, of pictures such as MNIST's. */
export function isDigits({ input, classes, labels }) {
  return input.channels === 1 && input.width === MNIST_SIDE && input.height === MNIST_SIDE && classes === 10 &&
    labels.every((label, i) => label === String(i));
}

function canvasOf(width, height) {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.fillStyle = '#000';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  return context;
}

/** Halves a picture until it is less than twice the size, so that every pixel counts. */
function scaled(source, width, height) {
  let from = source;
  while (from.width >= 2 * width && from.height >= 2 * height) {
    const half = canvasOf(from.width >> 1, from.height >> 1);
    half.drawImage(from, 0, 0, half.canvas.width, half.canvas.height);
    from = half.canvas;
  }
  const to = canvasOf(width, height);
  to.imageSmoothingEnabled = from.width !== width || from.height !== height;
  to.drawImage(from, 0, 0, width, height);
  return to;
}

/** Where the ink of a picture lies, and its centre of mass; null if there is none. */
function inkOf(context) {
  const { width, height } = context.canvas;
  const { data } = context.getImageData(0, 0, width, height);
  let [left, top, right, bottom, mass, x, y] = [width, height, 0, 0, 0, 0, 0];
  for (let row = 0, at = 0; row < height; ++row) {
    for (let column = 0; column < width; ++column, at += 4) {
      const ink = data[at];
      if (ink < 32) continue;
      [left, right] = [Math.min(left, column), Math.max(right, column + 1)];
      [top, bottom] = [Math.min(top, row), Math.max(bottom, row + 1)];
      mass += ink;
      x += ink * (column + 0.5);
      y += ink * (row + 0.5);
    }
  }
  return mass === 0 ? null : { left, top, width: right - left, height: bottom - top, x: x / mass, y: y / mass };
}

/** A drawn digit as MNIST has them. */
function centredDigit(canvas) {
  const source = canvas.getContext('2d');
  const ink = inkOf(source);
  if (!ink) return scaled(canvas, MNIST_SIDE, MNIST_SIDE);
  const factor = MNIST_BOX / Math.max(ink.width, ink.height);
  const box = canvasOf(ink.width, ink.height);
  box.drawImage(canvas, -ink.left, -ink.top);
  const small = scaled(box.canvas, Math.max(1, Math.round(ink.width * factor)), Math.max(1, Math.round(ink.height * factor)));
  const to = canvasOf(MNIST_SIDE, MNIST_SIDE);
  to.drawImage(small.canvas, Math.round(MNIST_SIDE / 2 - (ink.x - ink.left) * factor), Math.round(MNIST_SIDE / 2 - (ink.y - ink.top) * factor));
  return to;
}

/** The pixels that are classified: an ImageData. */
export function inputOf(pad, network) {
  const { width, height } = network.input;
  if (pad.picture && network.framing) {  // the package says how pictures get the network's size
    const whole = scaled(pad.picture, pad.picture.width, pad.picture.height);
    return whole.getImageData(0, 0, pad.picture.width, pad.picture.height);
  }
  if (!pad.picture && isDigits(network)) return centredDigit(pad.drawn).getImageData(0, 0, width, height);
  if (pad.picture && pad.picture.width === width && pad.picture.height === height) {
    return scaled(pad.picture, width, height).getImageData(0, 0, width, height);
  }
  return scaled(pad.drawn, width, height).getImageData(0, 0, width, height);
}

/** Shows an ImageData in a canvas of its size. */
export function show(canvas, image) {
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext('2d').putImageData(image, 0, 0);
}

/** The payload of the masked picture, values of k bits without gaps, as a picture: of each value its 8 highest bits. */
export function maskedPicture(payload, { channels, width, height }) {
  const values = channels * width * height;
  const bits = Math.floor((payload.length * 8) / values);
  const image = new ImageData(width, height);
  const valueAt = (index) => {
    let value = 0;
    for (let i = 0; i < Math.min(bits, 8); ++i) {
      const at = (index + 1) * bits - 1 - i;
      value = value * 2 + ((payload[at >> 3] >> (at & 7)) & 1);
    }
    return value;
  };
  for (let i = 0; i < width * height; ++i) {
    for (let c = 0; c < 3; ++c) image.data[4 * i + c] = valueAt((channels === 3 ? c * width * height : 0) + i);
    image.data[4 * i + 3] = 255;
  }
  return image;
}
