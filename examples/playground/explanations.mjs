// explanations.mjs - what the page says: of every operation a sentence, its formula, where the paper has it and which
// functions compute it, fast in stylegan.h and as plain loops in examples/reference.c. A test looks for these functions.

import { make } from './drawing.mjs';

export const STAGES = [
  {
    id: 'seed', name: 'Seed and z',
    text: 'The seed starts a generator of random numbers. It gives z: numbers around 0, most between −2 and 2, without any meaning yet. The same seed is the same person on every machine.',
    formula: 'z ~ N(0, 1), normalised to mean square 1', paper: 'StyleGAN, section 2',
    header: 'stylegan_seed_z', reference: 'seed_z',
  },
  {
    id: 'mapping', name: 'Mapping: z to w',
    text: 'A few fully connected layers turn z into w. They learned to bend the space so that what belongs together, such as the age of a face, lies along one direction.',
    formula: 'w = f(z); each layer: leaky ReLU(W x + b)', paper: 'StyleGAN, section 2 and figure 1b',
    header: 'sg__map_batch', reference: 'map_z',
  },
  {
    id: 'truncation', name: 'Truncation',
    text: 'ψ pulls w towards the mean of all w. Near the mean the network has seen many faces and draws well; at 0 everybody is the mean face, below 0 you get the opposite of the person, beyond 1 a caricature.',
    formula: 'w′ = w̄ + ψ (w − w̄)', paper: 'StyleGAN, appendix B',
    header: 'sg__truncate', reference: 'truncate_w',
  },
  {
    id: 'mixing', name: 'Style mixing',
    text: 'Each layer reads w for itself, so different layers can read different people. Coarse layers decide pose and shape, middle ones features of the face, fine ones colours and texture.',
    formula: 'w of layer l = (1 − m) w of A + m w of B', paper: 'StyleGAN, section 3.1',
    header: 'stylegan_mix', reference: 'mix_styles',
  },
];

const OPERATIONS = {
  constant: {
    name: 'Constant',
    text: 'Every picture begins with the same learned 4 × 4 map: nothing of the person is in it. All that makes this face comes in through the styles, and chance through the noise.',
    formula: 'x = c', paper: 'StyleGAN, section 2 and table 1', header: 'sg__constant_rows', reference: 'learned_constant',
  },
  upsample1: {
    name: 'Up-sample and convolve',
    text: 'Each pixel becomes four; then every new map is a weighted sum of all maps, over 3 × 3 pixels, and a small blur removes the edges of the blocks.',
    formula: 'y = blur(Σ over maps and 3 × 3 pixels of weight · up(x))', paper: 'StyleGAN, figure 1b', header: 'sg__filter_rows', reference: 'upsample_and_convolve',
  },
  upsample2: {
    name: 'Up-sample and convolve',
    text: 'A transposed convolution spreads each pixel over twice the size; the low-pass filter behind it removes the traces of the grid.',
    formula: 'y = filter(Σ over maps and 3 × 3 pixels of w″ · scatter(x))', paper: 'StyleGAN 2, section 2.2 and figure 2', header: 'sg__filter_rows', reference: 'convolve_up',
  },
  convolve: {
    name: 'Convolve',
    text: 'Every new map is a weighted sum of all maps before, over 3 × 3 pixels. Where these weights find the pattern that they stand for, the map is bright.',
    formula: 'y = Σ over maps and 3 × 3 pixels of weight · x', paper: 'StyleGAN, figure 1b', header: 'sg__convolve_rows', reference: 'convolve',
  },
  noise: {
    name: 'Add noise',
    text: 'One picture of random numbers is added to all maps, to each as strongly as it has learned (B in the figure). Strands of hair and grain are placed by it.',
    formula: 'y = x + strength of the map · noise', paper: 'StyleGAN, section 3.2', header: 'sg__noise_row', reference: 'add_noise',
  },
  activate: {
    name: 'Bias, leaky ReLU',
    text: 'A number is added to each map; what is then below 0 counts only a fifth. Without this bend, all layers together could do no more than one.',
    formula: 'y = x + b;  y if y > 0, else 0.2 y', paper: 'StyleGAN, table 1 and section 2', header: 'sg__finish_row', reference: 'activate',
  },
  normalise: {
    name: 'Normalise',
    text: 'First half of AdaIN: each map is brought to mean 0 and deviation 1. Whatever the layer before said about how strong a map should be is forgotten.',
    formula: '(x − μ(x)) / σ(x)', paper: 'StyleGAN, equation 1', header: 'sg__norm_rows', reference: 'instance_norm',
  },
  style: {
    name: 'Style',
    text: 'Second half of AdaIN: the style gives each map a new strength and a new level. This is the only way in which a person enters this layer: of a library of maps, the style turns some up and others off.',
    formula: 'AdaIN(x, y) = y_s (x − μ(x)) / σ(x) + y_b,  (y_s, y_b) = A w', paper: 'StyleGAN, equation 1 and figure 1b', header: 'sg__scale_shift_item', reference: 'adain',
  },
  modulate: {
    name: 'Modulate: the style',
    text: 'The style works on the weights: it scales the weights of each incoming map, so some maps are heard loudly and others hardly. This is the only way in which a person enters this layer.',
    formula: 'w′ = s · w for each incoming map,  s = A w', paper: 'StyleGAN 2, equation 1', header: 'sg__unpack_panel', reference: 'modulate',
  },
  demodulate: {
    name: 'Demodulate',
    text: 'The weights of each new map are divided by their length, so that what comes out is again about as strong as what came in. It replaces the normalising of StyleGAN 1, which left droplets in the pictures.',
    formula: 'w″ = w′ / √(Σ over maps and pixels of w′² + ε)', paper: 'StyleGAN 2, equation 3', header: 'sg__unpack_panel', reference: 'demodulate',
  },
  torgb: {
    name: 'To RGB',
    text: 'Red, green and blue are each a weighted sum of the maps. In StyleGAN 2 every resolution has its own, and their images add up: details are laid over the coarse image.',
    formula: 'image = up(image before) + Σ over maps of weight · x', paper: 'StyleGAN 2, section 4.1 and figure 7b', header: 'sg__image_rows', reference: 'add_rgb',
  },
  torgb1: {
    name: 'To RGB',
    text: 'Red, green and blue are each a weighted sum of the last maps. No style here: the maps are already coloured for it.',
    formula: 'image = Σ over maps of weight · x + b', paper: 'StyleGAN, figure 1b', header: 'sg__image_rows', reference: 'to_rgb',
  },
};

// What a layer does, in order; `after`: these make of its map the second one that is shown.
export function operationsOf(layer, family) {
  const first = layer.name.endsWith('conv0') && layer.macs === 0, up = layer.name.endsWith('conv0');
  const names = layer.name.endsWith('torgb') ? (family === 1 ? ['torgb1'] : ['modulate', 'torgb'])
    : family === 1 ? [first ? 'constant' : up ? 'upsample1' : 'convolve', 'noise', 'activate', 'normalise', 'style']
      : ['modulate', 'demodulate', up ? 'upsample2' : 'convolve', 'noise', 'activate'];
  return names.filter(name => name !== 'noise' || layer.noise).map(name => ({ id: name, ...OPERATIONS[name] }));
}

// "b16.conv0" in words.
export function nameOf(layer, family) {
  const kind = { conv0: 'first layer', norm0: 'first layer', conv1: 'second layer', norm1: 'second layer', torgb: 'to RGB', skip: 'skip' }[layer.name.split('.')[1]];
  const only = family === 2 && layer.name.startsWith('b4.conv') ? 'only layer' : kind;
  return `${layer.height} × ${layer.width}, ${only ?? layer.name}`;
}

// "y_s" with its s below the line.
const subscripts = text => text.split(/_(\w)/).map((part, i) => i % 2 ? make('sub', {}, part) : part);

// A stage or an operation as elements.
export function noteOf({ text, formula, paper, header, reference }) {
  const where = make('p', { className: 'where' }, `${paper}. Computed by `, make('code', {}, header), ' in stylegan.h and ',
    make('code', {}, reference), ' in examples/reference.c.');
  return [make('p', {}, text), make('p', { className: 'formula' }, ...subscripts(formula)), where];
}
