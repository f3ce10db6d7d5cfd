// state.mjs - everything that a visitor has set. It is in the address, so that a link shows the same.

const DEFAULTS = {
  a: 2, b: 37, psi: 0.7, label: 0, mix: [], noise: 'const', noiseSeed: 0, layerNoise: {}, layer: -1, channel: 0, nudge: 0,
  figure: 'coarse', people: 0, between: 0.5, pull: [], view: 'drawing',
};

const numbers = text => text.split('.').filter(Boolean).map(part => Number.isFinite(Number(part)) ? Number(part) / 100 : 0);
const hundredths = values => values.map(value => Math.round(value * 100)).join('.');
const MODES = { c: 'const', r: 'random', n: 'none' };
const READ = {
  a: Number, b: Number, psi: Number, label: Number, noiseSeed: Number, layer: Number, channel: Number, nudge: Number,
  people: Number, between: Number, mix: numbers, pull: numbers,
  noise: text => Object.values(MODES).includes(text) ? text : 'const',
  figure: text => ['coarse', 'middle', 'fine'].includes(text) ? text : 'coarse',
  view: text => text === 'learning' ? text : 'drawing',
  layerNoise: text => Object.fromEntries(text.split('.').filter(Boolean).map(part => [parseInt(part, 10), MODES[part.at(-1)]])
    .filter(([layer, mode]) => layer >= 0 && mode)),
};
const WRITE = {
  mix: hundredths,
  pull: hundredths,
  layerNoise: modes => Object.entries(modes).map(([layer, mode]) => layer + mode[0]).join('.'),
};

export const state = { ...DEFAULTS };

export function readAddress() {
  for (const [key, text] of new URLSearchParams(location.hash.slice(1))) {
    if (!Object.hasOwn(READ, key)) continue;
    const value = READ[key](text);
    if (typeof value !== 'number' || Number.isFinite(value)) state[key] = value;
  }
  for (const seed of ['a', 'b', 'noiseSeed', 'people']) state[seed] = Math.min(Math.max(Math.trunc(state[seed]), 0), 4294967295);
  state.psi = Math.min(Math.max(state.psi, -1), 1.5);
  state.between = Math.min(Math.max(state.between, 0), 1);
  state.mix = state.mix.map(share => Math.min(Math.max(share, 0), 1));
  state.channel = Math.max(Math.trunc(state.channel), 0);
}

export function writeAddress() {
  const text = Object.keys(DEFAULTS).map(key => [key, (WRITE[key] ?? String)(state[key]), (WRITE[key] ?? String)(DEFAULTS[key])])
    .filter(([, value, usual]) => value !== usual).map(([key, value]) => `${key}=${value}`).join('&');
  history.replaceState(null, '', text ? `#${text}` : location.pathname + location.search);
}

// As on the first visit, but on the same view.
export function startAgain(psi) {
  Object.assign(state, { ...DEFAULTS, mix: [], layerNoise: {}, pull: [], psi, view: state.view });
}

// The layers of ws that count as coarse, middle and fine: the shares of the paper's figure, 4 and 4 of 18, rounded up.
export function partOf(name, count) {
  const [second, third] = [4, 8].map(layers => Math.ceil(count * layers / 18));
  const [first, end] = { coarse: [0, second], middle: [second, third], fine: [third, count] }[name];
  return Array.from({ length: end - first }, (_, i) => first + i);
}
