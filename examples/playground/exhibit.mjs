// exhibit.mjs - what is being shown: the network, two persons, their mixture and the maps of its layers.
import { find, showPicture } from './drawing.mjs';
import { moved, principalComponents } from './components.mjs';
import { partOf, state } from './state.mjs';

const MOST_MAP_VALUES = 6e6; // of all layers together; of larger networks only the first maps are shown

const EMPTY = { ws: null, base: null, image: null, maps: [], milliseconds: [], favourites: [], components: null };

// base: ws before the picture was dragged
export const exhibit = { network: null, a: {}, b: {}, ...EMPTY };

export function showNetwork(network) {
  Object.assign(exhibit, structuredClone(EMPTY), { network, a: {}, b: {} });
  const values = network.layers.reduce((sum, layer) => sum + layer.height * layer.width * layer.out, 0);
  const most = Math.max(...network.layers.map(layer => layer.out));
  exhibit.channels = Math.max(1, Math.floor(most * Math.min(1, MOST_MAP_VALUES / values)));
}

// The layer that holds the style of a layer, -1: none. StyleGAN 1 has its AdaIN as a layer of its own.
export function styledLayer(index) {
  const { layers } = exhibit.network, layer = layers[index];
  if (!layer) return -1;
  const styled = layers.find(l => l.name === layer.name.replace('conv', 'norm')) ?? layer;
  return styled.styles ? styled.index : -1;
}

export async function redraw(network) {
  const psi = state.psi, label = network.config.c_dim ? state.label : undefined;
  await Promise.all(['a', 'b'].map(letter => drawPerson(network, exhibit[letter], state[letter], psi, label)));
  const base = blend(exhibit.a.ws, exhibit.b.ws);
  const ws = state.pull.some(Boolean) ? moved(base, await components(network), state.pull, pulledLayers(network)) : base;
  const result = await network.synthesize(ws, { ...mixtureOptions(), maps: true, channels: exhibit.channels });
  Object.assign(exhibit, { ws, base, image: result, maps: [] });
  result.maps.forEach(map => { exhibit.maps[map.index] = map; });
  result.milliseconds.forEach((time, i) => { exhibit.milliseconds[i] = .8 * (exhibit.milliseconds[i] ?? time) + .2 * time; });
}

// The directions in which dragging moves w, found when they are first needed, and how many layers it moves: the coarse ones.
export const components = network => exhibit.components ??= principalComponents(network);
export const pulledLayers = network => partOf('coarse', network.config.num_ws).length;

// What the sliders ask for beyond ws.
export function mixtureOptions() {
  const { layers } = exhibit.network, options = { noise: state.noise, noiseSeed: state.noiseSeed };
  if (Object.keys(state.layerNoise).length) options.layerNoise = layers.map((_, i) => state.layerNoise[i] ?? state.noise);
  const styled = styledLayer(state.layer);
  if (state.nudge && styled >= 0 && state.channel < layers[styled].styles) {
    const offsets = new Float32Array(layers[styled].styles);
    offsets[state.channel] = state.nudge;
    options.styleOffsets = { [styled]: offsets };
  }
  return options;
}

async function drawPerson(network, person, seed, psi, label) {
  if (person.seed === seed && person.psi === psi && person.label === label) return;
  if (person.seed !== seed) person.z = await network.seed(seed);
  const [w, ws] = await Promise.all([network.map(person.z, { psi: 1, label }), network.map(person.z, { psi, label })]);
  Object.assign(person, { seed, psi, label, w, ws, picture: await network.synthesize(ws) });
  if (exhibit.image) return;
  showPicture(find('image'), person.picture); // the first one at once
  document.documentElement.dataset.firstPicture ??= performance.now().toFixed(0);
}

// ws between two persons, layer by layer
function blend(a, b) {
  const width = exhibit.network.config.w_dim;
  return a.map((value, i) => {
    const share = state.mix[Math.floor(i / width)] ?? 0;
    return share === 0 ? value : share === 1 ? b[i] : (1 - share) * value + share * b[i];
  });
}

// StyleGAN 2: the sum of the ToRGB layers up to here, as a picture; null for the last, which is the image.
export function imageSoFar(map) {
  if (!map) return null;
  const area = map.width * map.height, pixels = new Uint8ClampedArray(4 * area).fill(255);
  for (let i = 0; i < area; i++)
    for (let c = 0; c < 3; c++) pixels[4 * i + c] = map.data[Math.min(c, map.channels - 1) * area + i] * 127.5 + 128;
  return { pixels, width: map.width, height: map.height };
}
