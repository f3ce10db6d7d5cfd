// Types of stylegan.mjs, see README.md.

/** The network's description: the fields of stylegan_config in stylegan.h. */
export interface Config {
  family: 1 | 2 | 3; architecture: number; height: number; width: number; blocks: number; channels: number;
  z_dim: number; w_dim: number; c_dim: number; num_ws: number; truncation_psi: number; truncation_cutoff: number;
  [field: string]: number;
}

/** A step of the synthesis: stylegan_layer in stylegan.h. */
export interface Layer {
  index: number; name: string; in: number; out: number; height: number; width: number;
  /** number of the w that steers it, -1: none */
  ws: number;
  /** values of its style */
  styles: number;
  noise: 0 | 1; stripRows: number; points: number; macs: number; weightBytes: number;
}

export interface Tensor { index: number; name: string; type: 'f32' | 'f16' | 'i8'; shape: number[] }

export type NoiseMode = 'const' | 'random' | 'none';

export interface MapOptions {
  /** truncation: 0 the mean, 1 (default) none */
  psi?: number;
  /** layers that are truncated; default: the network's */
  cutoff?: number;
  /** class of a conditional network; default: none */
  label?: number;
}

export interface SynthesisOptions {
  noise?: NoiseMode;
  /** a whole number from 0 to 2^53 - 1 */
  noiseSeed?: number;
  /** instead of noise, for each layer */
  layerNoise?: NoiseMode[];
  /** factors of the learned strengths, for each layer */
  noiseStrength?: number[];
  /** values to be added to the styles of some layers */
  styleOffsets?: { [layer: number]: Float32Array };
  /** layers whose feature maps are wanted; true: all */
  maps?: number[] | true;
  /** at most so many maps of each layer */
  channels?: number;
  /** after all other calls that wait */
  background?: boolean;
  /** the image as floats too */
  floats?: boolean;
}

export interface FeatureMaps {
  index: number; name: string; channels: number; height: number; width: number;
  /** [channels][height][width] */
  data: Float32Array;
  style: Float32Array | null;
}

export interface Picture {
  width: number; height: number;
  /** RGBA, for ImageData */
  pixels: Uint8ClampedArray;
  /** [channels][height][width], nominal range [-1, 1]; with the option floats */
  image: Float32Array | null;
  maps: FeatureMaps[];
  /** for each layer */
  milliseconds: number[];
}

/** An open network: its functions run in Workers. */
export declare class Network {
  readonly config: Config;
  readonly layers: Layer[];
  readonly tensors: Tensor[];
  /** "key: value" lines of the weight file: source, licence */
  readonly text: string;
  readonly parameters: number;
  readonly engine: 'SIMD' | 'relaxed SIMD';
  /** NumPy's RandomState(seed).randn: z [z_dim] */
  seed(seed: number): Promise<Float32Array>;
  /** z to ws [num_ws][w_dim] */
  map(z: Float32Array, options?: MapOptions): Promise<Float32Array>;
  /** `base` with some layers of ws (their numbers) from `style` */
  mix(base: Float32Array, style: Float32Array, layers: Iterable<number>): Float32Array;
  synthesize(ws: Float32Array, options?: SynthesisOptions): Promise<Picture>;
  /** Draws a seed or ws to a canvas, which takes the image's size. psi: by default the network's own. */
  draw(canvas: HTMLCanvasElement, person: number | Float32Array, options?: MapOptions & SynthesisOptions): Promise<void>;
  /** the style that a layer takes from ws */
  style(layer: number, ws: Float32Array): Promise<Float32Array>;
  /** values of a tensor of the weight file */
  tensor(name: string): Promise<Float32Array>;
  /** [height][width] of a layer's random noise */
  randomNoise(layer: number, noiseSeed?: number): Promise<Float32Array>;
  close(): void;
}

export interface OpenOptions {
  /** how many pictures are drawn at once, each in a Worker; default 1 */
  workers?: number;
  /** the WebAssembly files, if they are not beside stylegan.mjs; relaxed: null is plain SIMD everywhere */
  engines?: { simd?: string | URL | BufferSource; relaxed?: string | URL | BufferSource | null };
}

/** Opens a weight file (.sgw). Rejects with the library's message if it is none, or damaged. */
export declare function open(file: ArrayBuffer, options?: OpenOptions): Promise<Network>;

export declare function hasRelaxedSimd(): boolean;

/** The same in the calling thread, without Workers. */
export declare class Engine {
  constructor(module: WebAssembly.Module, file: ArrayBuffer);
  readonly config: Config;
  readonly layers: Layer[];
  seed(seed: number): Float32Array;
  map(z: Float32Array, options?: MapOptions): Float32Array;
  synthesize(ws: Float32Array, options?: SynthesisOptions): Picture;
  style(layer: number, ws: Float32Array): Float32Array;
  tensor(name: string): Float32Array;
  randomNoise(layer: number, noiseSeed?: number): Float32Array;
}
