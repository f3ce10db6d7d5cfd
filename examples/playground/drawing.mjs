// drawing.mjs - what pages draw on canvases: pictures, feature maps, bars, curves.

export const find = id => document.getElementById(id);
export const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
export const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function showPixels(canvas, pixels, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  canvas.getContext('2d').putImageData(new ImageData(pixels, width, height), 0, 0);
}

export const showPicture = (canvas, picture) => showPixels(canvas, picture.pixels, picture.width, picture.height);

// --- Feature maps: from ink over purple and orange to light; brightness says it all, for those who see no colours ---

const STOPS = [[14, 10, 30], [62, 36, 104], [150, 58, 112], [226, 110, 78], [250, 190, 110], [255, 250, 225]];
const RAMP = Array.from({ length: 256 }, (_, i) => {
  const at = i / 255 * (STOPS.length - 1), k = Math.min(Math.floor(at), STOPS.length - 2);
  return STOPS[k].map((from, c) => Math.round(from + (at - k) * (STOPS[k + 1][c] - from)));
});

// The values between which the ramp spreads: all but the outermost hundredths.
export function rangeOf(values) {
  const step = Math.max(1, Math.floor(values.length / 4000));
  const sorted = Float32Array.from({ length: Math.ceil(values.length / step) }, (_, i) => values[i * step]).sort();
  const low = sorted[Math.floor(sorted.length * .01)], high = sorted[Math.ceil(sorted.length * .99) - 1];
  return high > low ? [low, high] : [low - 1, low + 1];
}

export const planeOf = (map, channel) =>
  map.data.subarray(channel * map.height * map.width, (channel + 1) * map.height * map.width);

function paint(pixels, stride, x, y, plane, width, [low, high]) {
  for (let i = 0; i < plane.length; i++) {
    const value = Math.min(255, Math.max(0, Math.round((plane[i] - low) / (high - low) * 255)));
    const at = 4 * ((y + Math.floor(i / width)) * stride + x + i % width);
    [pixels[at], pixels[at + 1], pixels[at + 2]] = RAMP[value];
    pixels[at + 3] = 255;
  }
}

export function showMap(canvas, plane, width, range = rangeOf(plane)) {
  const height = plane.length / width, pixels = new Uint8ClampedArray(4 * plane.length);
  paint(pixels, width, 0, 0, plane, width, range);
  showPixels(canvas, pixels, width, height);
}

// All maps of a layer side by side. Returns where they are, for the pointer: { columns, width, height, gap }
export function showMaps(canvas, map, range) {
  const gap = Math.max(1, Math.round(map.width / 16)), columns = Math.ceil(Math.sqrt(map.channels));
  const rows = Math.ceil(map.channels / columns), stepX = map.width + gap, stepY = map.height + gap;
  const width = columns * stepX - gap, height = rows * stepY - gap, pixels = new Uint8ClampedArray(4 * width * height);
  for (let c = 0; c < map.channels; c++) {
    const plane = planeOf(map, c);
    paint(pixels, width, c % columns * stepX, Math.floor(c / columns) * stepY, plane, map.width, range ?? rangeOf(plane));
  }
  showPixels(canvas, pixels, width, height);
  return { columns, rows, stepX, stepY, width, height };
}

export function showNoise(canvas, values, width) {
  showMap(canvas, values, width, [-2.5, 2.5]);
}

// What a picture differs by, amplified: grey is equal. Returns the factor.
export function showDifference(canvas, picture, other) {
  const distances = picture.pixels.map((value, i) => i % 4 < 3 ? Math.abs(value - other.pixels[i]) : 0).sort();
  const gain = Math.max(1, Math.min(16, Math.floor(100 / Math.max(1, distances[Math.floor(distances.length * .995)]))));
  const pixels = picture.pixels.map((value, i) => i % 4 < 3 ? 128 + gain * (value - other.pixels[i]) : 255);
  showPixels(canvas, pixels, picture.width, picture.height);
  return gain;
}

// --- Bars and curves, sharp on every screen ---

function begin(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas, scale = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext('2d');
  context.scale(scale, scale);
  return { context, width, height };
}

// Values as bars around a middle line that stands for `middle`; the values at `marked` stand out.
export function showBars(canvas, values, { ink = color('--soft'), most = 3, middle = 0, marked = -1 } = {}) {
  const { context, width, height } = begin(canvas), step = width / values.length;
  context.fillStyle = color('--line');
  context.fillRect(0, height / 2 - .5, width, 1);
  values.forEach((value, i) => {
    const length = Math.max(-1, Math.min(1, (value - middle) / most)) * height / 2;
    context.fillStyle = i === marked ? color('--accent') : ink;
    const wide = i === marked ? Math.max(3, step) : Math.max(step - (step > 3 ? 1 : .15), .4);
    context.fillRect(i * step, length > 0 ? height / 2 - length : height / 2, wide, Math.max(Math.abs(length), .5));
  });
}

// Curves over steps, each { values, ink }.
export function showCurves(canvas, curves, most) {
  const { context, width, height } = begin(canvas), left = 30, bottom = 18;
  const count = Math.max(2, ...curves.map(curve => curve.values.length));
  context.font = '11px system-ui, sans-serif';
  for (let value = 0; value <= most; value += most / 4) {
    const y = height - bottom - value / most * (height - bottom - 8);
    context.fillStyle = color('--line');
    context.fillRect(left, y, width - left, 1);
    context.fillStyle = color('--soft');
    context.fillText(value.toFixed(1), 4, y + 4);
  }
  for (const { values, ink } of curves) {
    const bins = Math.min(values.length, Math.floor((width - left) / 2));
    context.strokeStyle = ink;
    context.lineWidth = 2;
    context.beginPath();
    for (let b = 0; b < bins; b++) {
      const part = values.slice(Math.floor(b * values.length / bins), Math.floor((b + 1) * values.length / bins));
      const mean = part.reduce((sum, value) => sum + value, 0) / part.length;
      const x = left + (bins > 1 ? b / (bins - 1) : 0) * (width - left) * Math.min(1, values.length / count);
      context.lineTo(x, height - bottom - Math.min(1, mean / most) * (height - bottom - 8));
    }
    context.stroke();
  }
  context.fillStyle = color('--soft');
  context.fillText('step 0', left, height - 4);
  const end = `${curves[0].values.length}`;
  context.fillText(end, width - context.measureText(end).width, height - 4);
}

// Two rows of dots on an axis from -most to most.
export function showScores(canvas, rows, most) {
  const { context, width, height } = begin(canvas), place = score => width / 2 + Math.max(-1, Math.min(1, score / most)) * (width / 2 - 14);
  context.font = '11px system-ui, sans-serif';
  context.fillStyle = color('--line');
  context.fillRect(0, height / 2, width, 1);
  context.fillRect(width / 2, 8, 1, height - 30);
  context.fillStyle = color('--soft');
  context.fillText('takes it for made up', 4, height - 6);
  const right = 'takes it for real';
  context.fillText(right, width - context.measureText(right).width - 4, height - 6);
  rows.forEach(({ values, ink }, row) => {
    context.fillStyle = ink;
    values.forEach((score, i) => {
      context.globalAlpha = .75;
      context.beginPath();
      context.arc(place(score), height * (row ? .62 : .3) + (i % 4 - 1.5) * 6, 6, 0, 7);
      context.fill();
    });
  });
  context.globalAlpha = 1;
}
