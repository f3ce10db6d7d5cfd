// layer.mjs - a layer, opened: what it does, its maps before and after the style, the style itself and the noise.
import { color, find, make, planeOf, rangeOf, showBars, showMap, showMaps, showNoise, showPicture } from './drawing.mjs';
import { nameOf, noteOf, operationsOf } from './explanations.mjs';
import { exhibit, imageSoFar, styledLayer } from './exhibit.mjs';
import { state } from './state.mjs';

let update, built = -1, view = null, hovered = null;

export function prepareLayer(openLayer, redraw) {
  update = redraw;
  find('layer-close').onclick = () => openLayer(-1);
  find('layer-before').onclick = () => openLayer(neighbour(-1));
  find('layer-after').onclick = () => openLayer(neighbour(1));
}

const openable = () => exhibit.network.layers.filter(layer => !layer.name.includes('norm') && !layer.name.includes('skip'));
function neighbour(step) {
  const layers = openable(), at = layers.findIndex(layer => layer.index === state.layer);
  return layers[(at + step + layers.length) % layers.length].index;
}

// What is shown of a layer: maps on the left that its style acts upon, and what becomes of them on the right.
async function findMaps(layer) {
  const { network, maps } = exhibit, { family } = network.config;
  if (layer.name.endsWith('torgb')) {
    const last = network.layers.findLast(l => l.index < layer.index && maps[l.index] && !l.name.includes('torgb'));
    return { left: ['The maps that are summed', maps[last.index]], right: ['The image so far', imageSoFar(maps[layer.index]) ?? exhibit.image] };
  }
  if (family === 1)
    return { left: ['Before the style: convolution, noise, leaky ReLU', maps[layer.index]], right: ['After AdaIN: normalised, then the style', maps[styledLayer(layer.index)]] };
  const before = network.layers.findLast(l => l.index < layer.index && maps[l.index] && /conv/.test(l.name));
  const input = before ? maps[before.index] : await constantMap(layer);
  return { left: ['What comes in: the style scales these', input], right: ['What comes out', maps[layer.index]] };
}

// The learned constant [height][width][channels] as a map; null where the first layer is dense.
async function constantMap(layer) {
  const name = layer.name.replace('conv1', 'const');
  if (!exhibit.network.tensors.some(tensor => tensor.name === name)) return null;
  const values = await exhibit.network.tensor(name), { height, width } = layer, channels = values.length / height / width;
  const data = Float32Array.from(values, (_, i) => values[i % (height * width) * channels + Math.floor(i / height / width)]);
  return { channels, height, width, data };
}

export async function showLayer() {
  const layer = exhibit.network.layers[state.layer];
  find('layer').hidden = !layer;
  if (!layer) {
    built = -1;
    return;
  }
  const image = exhibit.image, found = await findMaps(layer);
  if (image !== exhibit.image) return; // drawn anew meanwhile
  view = found;
  if (built !== layer.index) build(layer);
  built = layer.index;
  showTwoMaps();
  showFacts(layer);
  showStyle();
  showChannel();
  showLayerNoise(layer);
}

function build(layer) {
  const { family } = exhibit.network.config, operations = operationsOf(layer, family);
  find('layer-title').textContent = `Inside ${nameOf(layer, family)}`;
  find('steps').replaceChildren(...operations.map(o => {
    const button = make('button', { type: 'button', textContent: o.name });
    button.onclick = button.onfocus = button.onpointerenter = () => explain(o.id);
    button.dataset.operation = o.id;
    return make('li', {}, button);
  }));
  explain(operations.some(o => o.id === 'style') ? 'style' : operations[0].id);
  find('layer-maps').replaceChildren(...['left', 'right'].map(side => {
    const canvas = make('canvas', { role: 'img' });
    const caption = make('figcaption', {});
    canvas.onpointermove = canvas.onclick = event => point(event, side);
    canvas.onpointerleave = () => { if (hovered) { hovered = null; showChannel(); showStyle(); } };
    return make('figure', {}, caption, canvas);
  }));
  buildChannel();
}

function explain(id) {
  const layer = exhibit.network.layers[state.layer];
  const operation = operationsOf(layer, exhibit.network.config.family).find(o => o.id === id);
  if (!operation) return;
  find('steps').querySelectorAll('button').forEach(button => { button.ariaPressed = String(button.dataset.operation === id); });
  find('explanation').replaceChildren(...noteOf(operation));
}

const styles = () => exhibit.maps[styledLayer(state.layer)]?.style;
const isMap = map => Boolean(map?.data);

function showTwoMaps() {
  ['left', 'right'].forEach((side, i) => {
    const [caption, map] = view[side], figure = find('layer-maps').children[i], canvas = figure.querySelector('canvas');
    figure.hidden = !map;
    if (!map) return;
    figure.querySelector('figcaption').textContent = isMap(map) ? `${caption} (${map.channels} maps)` : caption;
    canvas.ariaLabel = caption;
    if (isMap(map)) canvas.grid = showMaps(canvas, map, rangeOf(map.data));
    else showPicture(canvas, map);
  });
}

// Moving over a map shows its numbers and what made it so; a click takes it for the slider.
function point(event, side) {
  const map = view[side][1], grid = event.currentTarget.grid;
  if (!isMap(map)) return;
  const box = event.currentTarget.getBoundingClientRect();
  const column = Math.floor((event.clientX - box.left) / box.width * grid.width / grid.stepX);
  const row = Math.floor((event.clientY - box.top) / box.height * grid.height / grid.stepY);
  const channel = row * grid.columns + column;
  if (column >= grid.columns || channel >= map.channels) return;
  const { family } = exhibit.network.config;
  explain(side === 'left' ? (family === 1 ? find('steps').querySelector('button').dataset.operation : 'modulate') : family === 1 ? 'style' : 'activate');
  hovered = { side, channel };
  if (event.type === 'click' && channel !== state.channel && (family === 1 || side === 'left')) {
    Object.assign(state, { channel, nudge: 0 });
    update();
  }
  showChannel();
  showStyle();
}

function buildChannel() {
  const count = view.left[1]?.channels ?? 1;
  state.channel = Math.min(state.channel, count - 1);
  const chooser = make('input', { id: 'map-chooser', type: 'range', min: 0, max: count - 1, step: 1, value: state.channel });
  chooser.oninput = () => {
    hovered = null;
    Object.assign(state, { channel: Number(chooser.value), nudge: 0 });
    update();
  };
  const nudge = make('input', { id: 'nudge', type: 'range', min: -3, max: 3, step: .1 });
  nudge.oninput = () => {
    hovered = null;
    state.nudge = Number(nudge.value);
    update();
  };
  const output = make('output', { id: 'nudge-value' });
  const back = make('button', { id: 'nudge-reset', type: 'button', textContent: 'Back to the style' });
  back.onclick = () => { state.nudge = 0; update(); };
  const rows = [make('label', { htmlFor: 'map-chooser', textContent: 'Map' }), chooser, make('output', { id: 'map-number' })];
  if (styledLayer(state.layer) >= 0) rows.push(make('label', { htmlFor: 'nudge' }, 'Turn it up or down ', output), nudge, back);
  find('nudge-row').replaceChildren(...rows);
}

const number = value => value.toFixed(2).replace('-', '−');

function showChannel() {
  const side = hovered?.side ?? 'left', channel = hovered?.channel ?? state.channel;
  const map = view[side][1], style = styles(), { family } = exhibit.network.config;
  find('map-chooser').value = state.channel;
  find('map-number').textContent = `${state.channel + 1} of ${view.left[1]?.channels ?? 1}`;
  if (find('nudge')) {
    find('nudge').value = state.nudge;
    find('nudge-value').textContent = state.nudge ? `(${state.nudge > 0 ? '+' : ''}${number(state.nudge)})` : '';
  }
  if (!isMap(map)) return find('channel').replaceChildren();
  const plane = planeOf(map, Math.min(channel, map.channels - 1)), mean = plane.reduce((sum, value) => sum + value, 0) / plane.length;
  const deviation = Math.sqrt(plane.reduce((sum, value) => sum + (value - mean) ** 2, 0) / plane.length);
  const large = make('canvas', { ariaHidden: 'true' });
  let text = `Map ${channel + 1}: mean ${number(mean)}, deviation ${number(deviation)}.`;
  if (family === 1 && style)
    text += ` The style ${side === 'left' ? 'will give' : 'gave'} it the scale ${number(style[channel])} and the shift ${number(style[style.length / 2 + channel])}.`;
  else if (style && side === 'left') text += ` The style scales it by ${number(style[channel])} on its way in.`;
  find('channel').replaceChildren(large, make('p', {}, text));
  showMap(large, plane, map.width);
}

function showStyle() {
  const style = styles(), canvas = find('style-bars'), { family } = exhibit.network.config;
  canvas.parentElement.hidden = !style;
  if (!style) return;
  const half = family === 1 ? style.length / 2 : style.length;
  find('style-caption').textContent = family === 1
    ? `The style: ${half} scales (around 1), then ${half} shifts (around 0), for all maps`
    : `The style: ${half} scales (around 1), one for each map that comes in`;
  const centred = style.map((value, i) => value - Number(i < half));
  const marked = family === 2 && hovered?.side === 'right' ? -1 : hovered?.channel ?? state.channel;
  showBars(canvas, centred, { ink: color('--soft'), most: Math.max(1, Math.min(4, Math.max(...centred.map(Math.abs)))), marked });
}

function showFacts(layer) {
  const { milliseconds, network } = exhibit, styled = styledLayer(layer.index);
  const time = milliseconds[layer.index] + (styled !== layer.index && styled >= 0 ? milliseconds[styled] : 0);
  const total = milliseconds.reduce((sum, value) => sum + value, 0);
  const facts = {
    'maps in → out': `${layer.in} → ${layer.out}`,
    multiplications: layer.macs.toLocaleString('en'),
    'of the time': `${time.toFixed(2)} ms, ${Math.round(100 * time / total)} %`,
    weights: layer.weightBytes ? `${(layer.weightBytes / 1000).toFixed(1)} kB` : 'none',
    'name in stylegan.h': layer.name,
    computed: layer.points ? `Winograd, ${layer.points} × ${layer.points}` : layer.macs ? 'direct sums' : 'nothing to sum',
    'style taken from w': `number ${network.layers[Math.max(styled, 0)].ws + 1} of ${network.config.num_ws}`,
  };
  if (styled < 0) delete facts['style taken from w'];
  find('layer-facts').replaceChildren(...Object.entries(facts).map(([name, value]) =>
    make('div', {}, make('dt', {}, name), make('dd', {}, value))));
}

let noiseKey = '';

async function showLayerNoise(layer) {
  find('noise-figure').hidden = !layer.noise;
  if (!layer.noise) return;
  const { network } = exhibit, mode = state.layerNoise[layer.index] ?? state.noise;
  const key = [network.parameters, layer.name, mode, state.noiseSeed].join();
  if (key === noiseKey) return;
  noiseKey = key;
  find('noise-figure').querySelector('figcaption').textContent =
    { const: 'The noise that is added, stored', random: 'The noise that is added, random', none: 'No noise is added here' }[mode];
  const values = mode === 'none' ? new Float32Array(layer.height * layer.width)
    : await (mode === 'random' ? network.randomNoise(layer.index, state.noiseSeed) : network.tensor(`${layer.name}.noise`));
  if (key === noiseKey) showNoise(find('noise-map'), values, layer.width);
}
