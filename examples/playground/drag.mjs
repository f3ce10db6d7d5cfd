// drag.mjs - a point of the face follows the pointer, after DragGAN (Pan and others, 2023). The maps of one layer tell what
// is at a point. w moves so that one step nearer to the goal they tell the same: `pull`. Then the point is looked for where
// it has come to: `track`. DragGAN takes the gradient from a backward pass. Here w moves in principal components only, in
// which all people lie, and how the maps answer to each is found by drawing it.
import { find } from './drawing.mjs';
import { dot, moved } from './components.mjs';
import { state } from './state.mjs';
import { components, exhibit, mixtureOptions, pulledLayers } from './exhibit.mjs';

const SIDE = 64; // steps across the picture, whatever its size
const AROUND = 3; // steps to each side of the point that are compared
const SEARCH = 3; // steps to each side within which the point is looked for
const TRIAL = 0.1; // of a component
const RIDGE = 0.3; // how dear a movement of w is, in the maps' mean answer
const HOME = 0.02; // ... and how dear it is to be away from the person
const MOST_STEPS = 30, MOST_WORK = 3e8; // multiplications of a picture with which dragging is still fluent

let update, dragging = null; // { point, goal, looks: the maps around the point when it was taken, left: steps, running }

// The layer whose maps are compared: the last of half the picture's size.
function seenLayer() {
  const { layers, config } = exhibit.network;
  if (config.height !== config.width) return undefined;
  return layers.findLast(layer => layer.height === config.height / 2 && layer.out > config.channels);
}

export const canDrag = () => exhibit.network.layers.reduce((sum, layer) => sum + layer.macs, 0) <= MOST_WORK && Boolean(seenLayer());

// What the maps hold at places in the picture (in steps): [places][channels], between pixels in proportion.
function look(map, places) {
  const scale = map.width / SIDE, area = map.width * map.height, seen = new Float64Array(places.length * map.channels);
  places.forEach(([x, y], i) => {
    const [left, shareX] = whole((x + .5) * scale - .5, map.width), [top, shareY] = whole((y + .5) * scale - .5, map.height);
    for (let c = 0, at = top * map.width + left; c < map.channels; c++, at += area) {
      const above = map.data[at] + shareX * (map.data[at + 1] - map.data[at]);
      const below = map.data[at + map.width] + shareX * (map.data[at + map.width + 1] - map.data[at + map.width]);
      seen[i * map.channels + c] = above + shareY * (below - above);
    }
  });
  return seen;
}

function whole(position, count) {
  const inside = Math.min(Math.max(position, 0), count - 1), pixel = Math.min(Math.floor(inside), count - 2);
  return [pixel, inside - pixel];
}

function around([x, y], reach = AROUND, spacing = 1) {
  const places = [];
  for (let j = -reach; j <= reach; j += spacing) for (let i = -reach; i <= reach; i += spacing) places.push([x + i, y + j]);
  return places;
}

// Moves w so that the maps one step nearer to the goal come to hold what they hold at the point: least squares over the
// components, of which each is held back by its length (Gauss and Newton, with a ridge).
async function pull({ point, goal }) {
  const { network, base } = exhibit, layer = seenLayer().index, directions = await components(network);
  const way = [goal[0] - point[0], goal[1] - point[1]], step = Math.min(1, 1 / Math.hypot(...way));
  const places = around([point[0] + step * way[0], point[1] + step * way[1]]);
  const wanted = look(exhibit.maps[layer], around(point)), held = look(exhibit.maps[layer], places);
  const now = directions.map((_, k) => state.pull[k] ?? 0);
  const answers = await Promise.all(directions.map(async (_, k) => {
    const ws = moved(base, directions, now.map((share, i) => share + (i === k ? TRIAL : 0)), pulledLayers(network));
    const { maps } = await network.synthesize(ws, { ...mixtureOptions(), maps: [layer], channels: exhibit.channels });
    return look(maps[0], places).map((value, i) => (value - held[i]) / TRIAL);
  }));
  const missing = wanted.map((value, i) => value - held[i]);
  const products = answers.map(a => answers.map(b => dot(a, b)));
  const ridge = RIDGE * products.reduce((sum, row, k) => sum + row[k], 0) / products.length;
  products.forEach((row, k) => { row[k] += ridge; });
  const change = solve(products, answers.map((answer, k) => dot(answer, missing) - HOME * ridge * now[k]));
  return now.map((share, k) => Math.round((share + change[k]) * 100) / 100); // as the address holds it
}

// x with matrix x = values, for a symmetric positive matrix. Both are used up.
function solve(matrix, values) {
  const count = values.length;
  for (let i = 0; i < count; i++)
    for (let j = i + 1; j < count; j++) {
      const factor = matrix[j][i] / matrix[i][i];
      for (let k = i; k < count; k++) matrix[j][k] -= factor * matrix[i][k];
      values[j] -= factor * values[i];
    }
  for (let i = count - 1; i >= 0; i--) {
    for (let k = i + 1; k < count; k++) values[i] -= matrix[i][k] * values[k];
    values[i] /= matrix[i][i];
  }
  return values;
}

// Where the point has come to: where the maps look most as they did around it at first.
function track({ point, looks }) {
  const map = exhibit.maps[seenLayer().index];
  const unlike = place => look(map, around(place)).reduce((sum, value, i) => sum + (value - looks[i]) ** 2, 0);
  return around(point, SEARCH, 0.5).map(place => [unlike(place), place]).reduce((best, one) => one[0] < best[0] ? one : best)[1];
}

// --- The pointer ---

async function follow(drag) {
  const { network } = exhibit;
  while (drag === dragging && network === exhibit.network && drag.left-- > 0) {
    if (Math.hypot(drag.goal[0] - drag.point[0], drag.goal[1] - drag.point[1]) < 0.5) break;
    const pulled = await pull(drag);
    if (drag !== dragging || network !== exhibit.network) break;
    state.pull = pulled;
    await update();
    drag.point = track(drag);
    showMarks();
  }
  drag.running = false;
  showMarks();
}

function take(point) {
  dragging = { point, goal: point, looks: look(exhibit.maps[seenLayer().index], around(point)), left: 0, running: false };
}

function dragTo(goal) {
  const started = dragging.running;
  Object.assign(dragging, { goal, left: MOST_STEPS, running: true });
  showMarks();
  if (!started) follow(dragging).catch(error => { if (error.message !== 'the network is closed') throw error; });
}

// Ends a drag; the picture stays as it is.
export function letGo() {
  dragging = null;
  showMarks();
}

function showMarks() {
  const marks = find('marks');
  marks.toggleAttribute('hidden', !dragging);
  if (!dragging) return;
  const [[x, y], [goalX, goalY]] = [dragging.point, dragging.goal].map(place => place.map(value => value + .5));
  for (const [name, cx, cy] of [['mark-point', x, y], ['mark-goal', goalX, goalY]]) {
    find(name).setAttribute('cx', cx);
    find(name).setAttribute('cy', cy);
  }
  find('mark-way').setAttribute('d', `M${x} ${y}L${goalX} ${goalY}`);
  marks.dataset.point = dragging.point.join();
  marks.toggleAttribute('data-done', !dragging.running);
}

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function prepareDrag(redraw) {
  update = redraw;
  const image = find('image');
  const place = event => {
    const box = image.getBoundingClientRect();
    return [[event.clientX - box.left, box.width], [event.clientY - box.top, box.height]].map(([at, size]) =>
      Math.min(Math.max(at / size * SIDE - .5, 0), SIDE - 1));
  };
  image.onpointerdown = event => {
    if (!canDrag() || event.button) return;
    image.setPointerCapture(event.pointerId);
    take(place(event));
  };
  image.onpointermove = event => { if (dragging && image.hasPointerCapture(event.pointerId)) dragTo(place(event)); };
  image.onkeydown = event => {
    const way = KEYS[event.key];
    if (!way || !canDrag()) return;
    event.preventDefault();
    if (!dragging) take([SIDE / 2, SIDE * .58]); // about where the nose is
    dragTo(dragging.goal.map((value, i) => Math.min(Math.max(value + 2 * way[i], 0), SIDE - 1)));
  };
}
