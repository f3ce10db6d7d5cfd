// tour.mjs - six stops through the network, with one thing to try at each.
import { find } from './drawing.mjs';

const STOPS = [
  {
    at: 'pipeline', title: 'From a number to a person',
    text: 'A network that draws needs something to start from. The seed gives z, a list of random numbers. The mapping, a small network, turns z into w: the description of a person that the rest can work with. There is no photograph anywhere, and no list of faces.',
    try: 'Press ↻ beside A a few times. Every z looks like noise, every w makes a face.',
  },
  {
    at: 'truncation', title: 'Truncation: how daring?',
    text: 'The mean of all w is the mean face. ψ says how far a person may be from it. Small: safe and alike. Large: strange, and more often wrong. It acts on w, before anything is drawn.',
    try: 'Move ψ slowly from 1 to 0: A and B become the same mean face. Go on to −1: what was dark becomes light, what was long becomes short.',
  },
  {
    at: 'styles', title: 'Styles: a person enters layer by layer',
    text: 'The picture is drawn from 4 × 4 pixels upwards. Each layer takes its own style from w. Early layers place the head and the hair, late ones only colour what is there.',
    try: 'Press “Coarse from B”, then “Fine from B”. Then move single sliders: which layer turns the background into B’s?',
  },
  {
    at: 'layer', title: 'Inside a layer', layer: true,
    text: 'A layer computes maps: pictures of where something is. Left, the maps that the style acts upon, turning some up and others down; right, what becomes of them. The layer can draw everybody; the style makes it this person.',
    try: 'Move over the maps and read what the style does to each. Then pull the slider below them, “Turn it up or down”: one map, by your hand, and the face changes.',
  },
  {
    at: 'mixing', title: 'Style mixing',
    text: 'The classic figure: everybody on the left with some styles of everybody above. That such mixtures look like people is what the network was trained for: it got mixed styles from the start.',
    try: 'Compare Coarse and Fine: in which one does a column keep its hair, and in which one its colours?',
  },
  {
    at: 'noise', title: 'Noise: what nobody decides',
    text: 'No style says where each hair lies. Random numbers, added in every layer, decide that. The person stays the same.',
    try: 'Press Random, then “Draw other noise” a few times, and watch the difference: where does chance act, and where not?',
  },
];

let stop = -1, actions, from;

async function show(number) {
  document.querySelectorAll('.touring').forEach(element => element.classList.remove('touring'));
  stop = number;
  find('tour').hidden = stop < 0;
  if (stop < 0) {
    from.focus();
    return;
  }
  const { at, title, text, try: task, layer } = STOPS[stop];
  find('tour-count').textContent = `Stop ${stop + 1} of ${STOPS.length}`;
  find('tour-title').textContent = title;
  find('tour-text').textContent = text;
  find('tour-try').replaceChildren(Object.assign(document.createElement('b'), { textContent: 'Try: ' }), task);
  find('tour-back').disabled = stop === 0;
  find('tour-next').textContent = stop === STOPS.length - 1 ? 'Finish' : 'Next';
  if (layer) await actions.openLayer();
  if (stop !== number) return;
  const place = find(at), still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  place.classList.add('touring');
  place.scrollIntoView({ block: 'start', behavior: still ? 'instant' : 'smooth' });
  find('tour-next').focus({ preventScroll: true });
}

export function prepareTour(given) {
  actions = given;
  find('tour-start').onclick = event => {
    from = event.currentTarget;
    actions.drawingView();
    show(0);
  };
  find('tour-next').onclick = () => show(stop + 1 < STOPS.length ? stop + 1 : -1);
  find('tour-back').onclick = () => show(stop - 1);
  find('tour-end').onclick = () => show(-1);
  document.addEventListener('keydown', event => { if (event.key === 'Escape' && stop >= 0) show(-1); });
}
