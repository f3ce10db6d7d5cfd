// figures.mjs - what needs many pictures: style mixing, interpolation, noise. Drawn when they are in sight, behind the
// image itself.
import { find, make, showDifference, showPicture } from './drawing.mjs';
import { nameOf } from './explanations.mjs';
import { exhibit, mixtureOptions } from './exhibit.mjs';
import { partOf, state } from './state.mjs';

const ROWS = [2, 12, 107], COLUMNS = [3, 37, 44, 54, 38], WALK = 9, WAIT = 120;
const MEANINGS = {
  coarse: 'Pose, head, the shape of the hair, beard and glasses come from above; clothes and background from the left.',
  middle: 'Colours of skin and hair, light and smaller shapes come from above.',
  fine: 'Background, clothes and light come from above; everybody keeps pose and shapes.',
};

let update, takePeople, timer, cells = [], drawn = {};
const inSight = new Set();

export function prepareFigures(take, redraw) {
  [takePeople, update] = [take, redraw];
  const observer = new IntersectionObserver(entries => {
    entries.forEach(entry => { if (entry.isIntersecting) inSight.add(entry.target.id); else inSight.delete(entry.target.id); });
    showFigures();
  }, { rootMargin: '200px' });
  ['mixing', 'walking', 'noise'].forEach(id => observer.observe(find(id)));
  find('figure-dice').onclick = () => {
    state.people = 1 + Math.floor(Math.random() * 1000);
    update();
  };
}

// For a network just opened.
export function buildFigures() {
  drawn = {};
  buildFigure();
  for (const way of ['z', 'w']) find(`walk-${way}`).replaceChildren(...Array.from({ length: WALK }, () => make('canvas')));
  buildNoiseLayers();
}

// Draws what is in sight and no longer true, a moment after the last change.
export function showFigures() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if (!exhibit.image) return;
    try {
      if (inSight.has('walking')) await showWalk();
      if (inSight.has('noise')) await showNoisePictures();
      if (inSight.has('mixing')) await showMixing();
    } catch (error) {
      if (error.message !== 'the network is closed') throw error;
    }
  }, WAIT);
}

const changed = (name, ...values) => {
  const key = JSON.stringify(values);
  if (drawn[name] === key) return false;
  drawn[name] = key;
  return true;
};

const labels = () => ({ psi: state.psi, label: exhibit.network.config.c_dim ? state.label : undefined });

// --- Style mixing ---

const seeds = usual => state.people ? usual.map((seed, i) => state.people * 10 + i + (usual === ROWS ? 5000 : 0)) : usual;

function buildFigure() {
  const figure = find('figure');
  figure.style.setProperty('--columns', COLUMNS.length + 1);
  figure.replaceChildren(make('div', { className: 'corner', ariaHidden: 'true' }, 'some styles from above ↓, the rest from the left →'));
  cells = [];
  for (let row = -1; row < ROWS.length; row++)
    for (let column = -1; column < COLUMNS.length; column++) {
      if (row < 0 && column < 0) continue;
      const canvas = make('canvas', { ariaHidden: 'true' }), source = row < 0 ? 'source b-text' : column < 0 ? 'source a-text' : '';
      const button = make('button', { type: 'button', className: source, ariaLabel: 'A picture of the figure' }, canvas);
      button.onclick = () => takePeople(seeds(ROWS)[Math.max(row, 0)], seeds(COLUMNS)[Math.max(column, 0)], state.figure);
      cells.push({ row, column, canvas, button });
      figure.append(button);
    }
}

async function showMixing() {
  const { network } = exhibit, rows = seeds(ROWS), columns = seeds(COLUMNS), part = state.figure;
  find('mixing-meaning').textContent = MEANINGS[part];
  if (!changed('mixing', part, rows, labels())) return;
  const key = drawn.mixing, layers = partOf(part, network.config.num_ws);
  const map = async seed => network.map(await network.seed(seed), labels());
  const [ofRows, ofColumns] = await Promise.all([rows, columns].map(side => Promise.all(side.map(map))));
  await Promise.all(cells.map(async ({ row, column, canvas, button }) => {
    const ws = row < 0 ? ofColumns[column] : column < 0 ? ofRows[row] : network.mix(ofRows[row], ofColumns[column], layers);
    button.ariaLabel = row < 0 ? `Seed ${columns[column]}` : column < 0 ? `Seed ${rows[row]}` : `Seed ${rows[row]} with ${part} styles of seed ${columns[column]}`;
    const picture = await network.synthesize(ws, { background: true });
    if (drawn.mixing === key) showPicture(canvas, picture);
  }));
}

// --- Interpolation ---

const between = (a, b, t) => a.map((value, i) => (1 - t) * value + t * b[i]);
const difference = (a, b) => a.pixels.reduce((sum, value, i) => sum + Math.abs(value - b.pixels[i]), 0) / a.width / a.height / 3;

async function showWalk() {
  const { network, a, b } = exhibit, options = labels();
  const draw = async (way, t) => network.synthesize(way === 'z' ? await network.map(between(a.z, b.z, t), options) : between(a.ws, b.ws, t), { background: true });
  const now = changed('now', a.seed, b.seed, options, state.between), strip = changed('walk', a.seed, b.seed, options);
  for (const way of ['z', 'w']) {
    if (now) showPicture(find(`now-${way}`), await draw(way, state.between));
    if (!strip) continue;
    const pictures = await Promise.all(Array.from({ length: WALK }, (_, i) => draw(way, i / (WALK - 1))));
    pictures.forEach((picture, i) => showPicture(find(`walk-${way}`).children[i], picture));
    const change = pictures.slice(1).reduce((sum, picture, i) => sum + difference(picture, pictures[i]), 0);
    const name = find(`walk-${way}-name`);
    name.title = 'How much the pixels change along the way, added up';
    name.replaceChildren('in ', make('i', {}, way), make('small', { className: 'facts', textContent: `change ${change.toFixed(0)}` }));
  }
}

// --- Noise ---

function buildNoiseLayers() {
  const { network } = exhibit;
  find('noise-layers').replaceChildren(...network.layers.filter(layer => layer.noise).map(layer => {
    const select = make('select', {}, ...Object.entries({ const: 'stored', random: 'random', none: 'off' })
      .map(([value, text]) => make('option', { value }, text)));
    select.dataset.layer = layer.index;
    select.onchange = () => {
      state.layerNoise[layer.index] = select.value;
      update();
    };
    return make('label', {}, nameOf(layer, network.config.family), select);
  }));
}

async function showNoisePictures() {
  const { network, image, ws } = exhibit;
  find('noise-layers').querySelectorAll('select').forEach(select => { select.value = state.layerNoise[select.dataset.layer] ?? state.noise; });
  const without = await network.synthesize(ws, { ...mixtureOptions(), noise: 'none', layerNoise: undefined, background: true });
  if (image !== exhibit.image) return;
  showPicture(find('noise-now'), image);
  showPicture(find('noise-off'), without);
  const gain = showDifference(find('noise-difference'), image, without);
  find('noise-gain').textContent = gain > 1 ? `${gain} times as strong` : 'as it is';
}
