// page.mjs - the page: opens the network, draws whenever something is moved, and shows the stages.
import { hasRelaxedSimd, open } from './stylegan.mjs';
import { color, find, make, planeOf, showBars, showMap, showPicture } from './drawing.mjs';
import { partOf, readAddress, startAgain, state, writeAddress } from './state.mjs';
import { STAGES, nameOf, noteOf } from './explanations.mjs';
import { exhibit, imageSoFar, redraw, showNetwork } from './exhibit.mjs';
import { prepareLayer, showLayer } from './layer.mjs';
import { buildFigures, prepareFigures, showFigures } from './figures.mjs';
import { canDrag, letGo, prepareDrag } from './drag.mjs';
import { pauseLearning, prepareLearning } from './learning.mjs';
import { prepareTour } from './tour.mjs';

const LETTERS = ['a', 'b'];

const asset = name => {
  const text = atob(find(`asset-${name}`).textContent.trim()), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
};
const engines = hasRelaxedSimd() ? { relaxed: asset('stylegan-relaxed.wasm') } : { simd: asset('stylegan.wasm') };

// --- The network ---

let opening = 0; // counts: the newest file wins, however long an older one takes

// From bytes, or a promise of them. Whether the network is shown now.
async function openNetwork(bytes) {
  const call = ++opening, isOld = () => call !== opening;
  const network = await open(await bytes, { engines, workers: Math.min(navigator.hardwareConcurrency || 2, 4) });
  const { blocks, family } = network.config;
  const unfit = !blocks ? 'this file holds a mapping alone, nothing that draws' : family > 2 ? 'a StyleGAN 3; this page explains StyleGAN 1 and 2' : '';
  if (unfit || isOld()) {
    network.close();
    if (isOld()) return false;
    throw new Error(unfit);
  }
  exhibit.network?.close();
  showNetwork(network);
  buildStrip();
  buildLabels();
  buildFigures();
  find('drag-hint').hidden = !canDrag();
  find('psi').disabled = !network.tensors.some(tensor => tensor.name === 'w_avg');
  if (find('psi').disabled) state.psi = 1;
  return true;
}

// The psi that a network is usually shown with, as a slider has it.
const usualPsi = () => Number((exhibit.network.config.truncation_psi || 1).toFixed(2));

function startOver() {
  letGo();
  startAgain(usualPsi());
}

// A visitor's own file: the network changes only if it can be opened.
async function openFile(file) {
  complain('');
  try {
    const before = exhibit.network;
    if (!await openNetwork(file.arrayBuffer())) return;
    startOver();
    exhibit.ownFile = before ? file.name : '';
    showControls();
    await update();
  } catch (error) {
    complain(`${file.name}: ${error.message}`);
  }
}

function complain(text) {
  find('problem').hidden = !text;
  find('problem').textContent = text;
}

// --- Drawing: the newest wish wins ---

let busy = null, wanted = false, addressTimer;

function update() {
  wanted = true;
  if (!busy) busy = catchUp();
  return busy;
}

async function catchUp() {
  find('result').ariaBusy = 'true';
  while (wanted) {
    wanted = false;
    const start = performance.now(), network = exhibit.network;
    try {
      await redraw(network);
      show();
      document.documentElement.dataset.milliseconds = (performance.now() - start).toFixed(1);
      complain('');
    } catch (error) {
      if (network === exhibit.network) complain(error.message);
    }
  }
  busy = null;
  find('result').ariaBusy = 'false';
  document.documentElement.dataset.drawings = Number(document.documentElement.dataset.drawings ?? 0) + 1;
  clearTimeout(addressTimer);
  addressTimer = setTimeout(writeAddress, 150);
  showFigures();
}

// --- Showing ---

function show() {
  const { w_dim: width } = exhibit.network.config;
  for (const letter of LETTERS) {
    const person = exhibit[letter], ink = color(`--${letter}`);
    showPicture(find(`picture-${letter}`), person.picture);
    showBars(find(`z-${letter}`), person.z, { ink, most: 3 });
    const most = person.w.subarray(0, width).reduce((largest, value) => Math.max(largest, Math.abs(value)), .1);
    showBars(find(`w-${letter}`), person.w.subarray(0, width), { ink, most });
    showBars(find(`t-${letter}`), person.ws.subarray(0, width), { ink, most });
  }
  showPicture(find('image'), exhibit.image);
  showRecipe();
  showStrip();
  showLayer();
}

function showRecipe() {
  const { network, image } = exhibit, shares = columns.map((_, l) => state.mix[l] ?? 0);
  const ofB = shares.filter(share => share === 1).length, between = shares.filter(share => share > 0 && share < 1).length;
  const parts = [];
  if (ofB === shares.length) parts.push('All styles are B’s');
  else if (!ofB && !between) parts.push('All styles are A’s');
  else parts.push(`${shares.length - ofB - between} of ${shares.length} styles are A’s, ${ofB} B’s${between ? `, ${between} between` : ''}`);
  if (state.pull.some(Boolean)) parts.push('dragged');
  if (state.nudge) parts.push('one map turned by hand');
  if (state.noise !== 'const') parts.push(state.noise === 'none' ? 'no noise' : 'random noise');
  find('let-go').hidden = !state.pull.some(Boolean);
  find('recipe').textContent = `${parts.join('; ')}.`;
  const c = network.config, time = exhibit.milliseconds.reduce((sum, value) => sum + value, 0);
  find('facts').textContent = `${exhibit.ownFile ? `${exhibit.ownFile}: ` : ''}StyleGAN ${c.family === 1 ? '' : '2 '}at ${c.width} × ${c.height}, ` +
    `${network.parameters.toLocaleString('en')} learned numbers. ${Math.round(network.layers.reduce((sum, l) => sum + l.macs, 0) / 1e6).toLocaleString('en')} million ` +
    `multiplications in ${time.toFixed(1)} ms, ${network.engine}.`;
}

// --- Stages 4 and 5: a column for each style ---

let columns = []; // { layer: the layer whose map is shown, torgb, slider, ... } by number of ws

function buildStrip() {
  const { layers, config } = exhibit.network, strip = find('strip');
  const shown = layer => config.family === 1 ? layers.find(l => l.name === layer.name.replace('norm', 'conv')) : layer;
  columns = Array.from({ length: config.num_ws }, (_, l) => {
    const mine = layers.filter(layer => layer.ws === l), torgb = mine.find(layer => layer.name.endsWith('torgb'));
    const styled = mine.find(layer => layer !== torgb) ?? torgb;
    return { styled, layer: styled && shown(styled), torgb: config.family === 1 ? null : torgb };
  }).filter(column => column.layer);
  strip.style.setProperty('--columns', columns.length);
  strip.replaceChildren(place(make('span', { className: 'row-name', innerHTML: '<b class="a-text">A</b><br><br><b class="b-text">B</b>' }), 3, 1));
  for (const part of ['coarse', 'middle', 'fine']) strip.append(span(make('div', { className: 'part' }, part), 1, partOf(part, columns.length)));
  for (let l = 0; l < columns.length;) {
    const { height, width } = columns[l].layer;
    let end = l;
    while (end < columns.length && columns[end].layer.height === height) end++;
    const same = Array.from({ length: end - l }, (_, i) => l + i);
    strip.append(span(make('div', { className: 'resolution' }, `${height} × ${width}`), 2, same));
    l = end;
  }
  columns.forEach((column, l) => buildColumn(strip, column, l));
  const grows = columns.some(column => column.torgb);
  find('strip-grows').hidden = !grows;
  if (grows) strip.append(place(make('span', { className: 'row-name' }, 'image so far'), 6, 1));
}

const place = (element, row, column) => {
  [element.style.gridRow, element.style.gridColumn] = [row, column];
  return element;
};

const span = (element, row, range) => place(element, row, `${range[0] + 2} / ${range.at(-1) + 3}`);

function buildColumn(strip, column, l) {
  const { family } = exhibit.network.config, name = nameOf(column.layer, family);
  const slider = make('input', { type: 'range', min: 0, max: 1, step: .05, ariaLabel: `Style of ${name}: from A to B` });
  column.output = make('output');
  column.slot = place(make('div', { className: 'style-slot' }, slider, column.output), 3, l + 2);
  column.slider = slider;
  slider.oninput = () => {
    state.mix = columns.map((_, i) => state.mix[i] ?? 0);
    state.mix[l] = Number(slider.value);
    update();
  };
  strip.append(column.slot, place(make('span', { className: 'name' }, orderOf(column.layer)), 5, l + 2));
  if (column.layer !== column.torgb) [column.button, column.canvas] = addMap(strip, column.layer, 4, l);
  if (column.torgb) [column.growthButton, column.growth] = addMap(strip, column.torgb, 6, l);
}

// Which of its resolution's layers: "first".
const orderOf = layer => nameOf(layer, exhibit.network.config.family).split(', ')[1].replace(' layer', '');

// A canvas that opens its layer.
function addMap(strip, layer, row, l) {
  const canvas = make('canvas', { ariaHidden: 'true' });
  const button = make('button', { type: 'button', className: row === 6 ? 'map growth' : 'map', ariaLabel: `Open ${nameOf(layer, exhibit.network.config.family)}`, title: layer.name }, canvas);
  button.onclick = () => openLayer(state.layer === layer.index ? -1 : layer.index);
  strip.append(place(button, row, l + 2));
  return [button, canvas];
}

function showStrip() {
  const { family } = exhibit.network.config;
  columns.forEach((column, l) => {
    const share = state.mix[l] ?? 0;
    column.slider.value = share;
    column.output.textContent = share === 0 ? 'A' : share === 1 ? 'B' : `${Math.round(share * 100)} %`;
    column.slot.style.setProperty('--who', `color-mix(in oklab, var(--b) ${share * 100}%, var(--a))`);
    if (column.button) {
      column.button.ariaExpanded = String(state.layer === column.layer.index);
      showFavourite(column.canvas, exhibit.maps[family === 1 ? column.styled.index : column.layer.index], l);
    }
    if (column.growth) {
      column.growthButton.ariaExpanded = String(state.layer === column.torgb.index);
      showPicture(column.growth, imageSoFar(exhibit.maps[column.torgb.index]) ?? exhibit.image);
    }
  });
}

// The map of a layer in which most is to be seen, chosen once so that it does not jump.
function showFavourite(canvas, map, l) {
  const contrast = channel => {
    const plane = planeOf(map, channel), mean = plane.reduce((sum, value) => sum + value, 0) / plane.length;
    return plane.reduce((sum, value) => sum + Math.abs(value - mean), 0) / plane.length;
  };
  exhibit.favourites[l] ??= Array.from({ length: map.channels }, (_, channel) => [contrast(channel), channel]).sort((x, y) => y[0] - x[0])[0][1];
  showMap(canvas, planeOf(map, exhibit.favourites[l]), map.width);
}

function openLayer(index) {
  Object.assign(state, { layer: index, channel: 0, nudge: 0 });
  const opened = columns.findIndex(column => column.layer.index === index);
  if (opened >= 0) state.channel = exhibit.favourites[opened] ?? 0;
  return update();
}

// --- Controls ---

function personAt(a, b, part) {
  Object.assign(state, { a, b, mix: columns.map((_, l) => Number(partOf(part, columns.length).includes(l))) });
  showControls();
  update();
  find('result').scrollIntoView({ block: 'nearest' });
}

function buildLabels() {
  const { c_dim: count } = exhibit.network.config;
  find('label-row').hidden = !count;
  find('label').replaceChildren(...Array.from({ length: count }, (_, i) => make('option', { value: i }, String(i))));
}

function showControls() {
  for (const letter of LETTERS) find(`seed-${letter}`).value = state[letter];
  find('psi').value = state.psi;
  find('psi-value').textContent = state.psi.toFixed(2).replace('-', '−');
  find('label').value = state.label;
  find('between').value = state.between;
  document.querySelectorAll('[data-noise]').forEach(button => { button.ariaPressed = String(button.dataset.noise === state.noise); });
  document.querySelectorAll('[data-figure]').forEach(button => { button.ariaPressed = String(button.dataset.figure === state.figure); });
  showView();
}

function showView() {
  const learning = state.view === 'learning';
  find('drawing').hidden = learning;
  find('learning').hidden = !learning;
  find('view-drawing').ariaPressed = String(!learning);
  find('view-learning').ariaPressed = String(learning);
  if (learning) startLearning();
  else pauseLearning();
}

const startLearning = prepareLearning(() => asset('trainer.wasm'));

function set(changes) {
  Object.assign(state, changes);
  showControls();
  update();
}

function wire() {
  for (const letter of LETTERS) {
    find(`seed-${letter}`).oninput = event => {
      const seed = Number(event.target.value);
      if (event.target.value !== '' && Number.isInteger(seed) && seed >= 0 && seed <= 4294967295) {
        state[letter] = seed;
        update();
      }
    };
    find(`dice-${letter}`).onclick = () => set({ [letter]: Math.floor(Math.random() * 10000) });
  }
  find('psi').oninput = event => set({ psi: Number(event.target.value) });
  document.querySelectorAll('[data-psi]').forEach(button => {
    button.onclick = () => { if (!find('psi').disabled) set({ psi: Number(button.dataset.psi) }); };
  });
  find('label').onchange = event => set({ label: Number(event.target.value) });
  document.querySelectorAll('[data-mix]').forEach(button => { button.onclick = () => set({ mix: presetOf(button.dataset.mix) }); });
  document.querySelectorAll('[data-figure]').forEach(button => { button.onclick = () => set({ figure: button.dataset.figure }); });
  find('between').oninput = event => set({ between: Number(event.target.value) });
  find('save').onclick = save;
  find('reset').onclick = () => {
    startOver();
    set({});
  };
  find('let-go').onclick = () => {
    letGo();
    set({ pull: [] });
  };
  find('copy-link').onclick = copyLink;
  find('file').onchange = event => {
    const [file] = event.target.files;
    event.target.value = ''; // so that the same file can be opened again
    if (file) openFile(file);
  };
  find('view-drawing').onclick = () => set({ view: 'drawing' });
  find('view-learning').onclick = () => set({ view: 'learning' });
  document.querySelectorAll('[data-noise]').forEach(button => { button.onclick = () => set({ noise: button.dataset.noise, layerNoise: {} }); });
  find('noise-dice').onclick = () => set({ noise: 'random', layerNoise: {}, noiseSeed: state.noiseSeed + 1 });
  wireDrop();
  addEventListener('hashchange', () => {
    if (document.getElementById(location.hash.slice(1))) return writeAddress(); // the link that skips to the network
    startOver();
    readAddress();
    set({});
  });
  matchMedia('(prefers-color-scheme: dark)').onchange = update;
  let timer;
  addEventListener('resize', () => { clearTimeout(timer); timer = setTimeout(update, 100); });
}

function presetOf(name) {
  const count = columns.length, constant = { none: 0, all: 1, half: .5 }[name];
  return columns.map((_, l) => constant ?? Number(partOf(name, count).includes(l)));
}

function save() {
  find('image').toBlob(blob => {
    const link = make('a', { href: URL.createObjectURL(blob), download: `stylegan-${state.a}-${state.b}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

const COPY_LINK = find('copy-link').textContent;

async function copyLink() {
  writeAddress();
  const button = find('copy-link');
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'It is in the address bar';
  }
  setTimeout(() => { button.textContent = COPY_LINK; }, 1500);
}

function wireDrop() {
  let depth = 0;
  const highlight = change => { find('drop').hidden = (depth = Math.max(0, depth + change)) === 0; };
  addEventListener('dragenter', event => { event.preventDefault(); highlight(1); });
  addEventListener('dragleave', () => highlight(-1));
  addEventListener('dragover', event => event.preventDefault());
  addEventListener('drop', event => {
    event.preventDefault();
    highlight(-depth);
    if (event.dataTransfer.files[0]) openFile(event.dataTransfer.files[0]);
  });
}

find('stage-notes').append(...STAGES.map(stage =>
  make('details', { className: 'note' }, make('summary', {}, stage.name), ...noteOf(stage))));
wire();
prepareLayer(openLayer, update);
prepareFigures(personAt, update);
prepareDrag(update);
prepareTour({
  drawingView: () => set({ view: 'drawing' }),
  openLayer: () => state.layer < 0 ? openLayer(columns[Math.floor(columns.length * .45)].layer.index) : null,
});
try {
  await openNetwork(asset('network').buffer);
  state.psi = usualPsi();
  readAddress();
  showControls();
  await update();
  document.documentElement.dataset.ready = performance.now().toFixed(0);
} catch (error) {
  complain(error.message);
}
