/**
 * Makes a stored bundle draw its lattices on agents: the part that draws is a module of its own, imported before anything else, so that the bundle stays
 * what it is. Not here: what the part does (sdk/agent-drawing.ts).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PolaronError } from '../../model/errors.ts';
import { SDK_FOLDER } from './shim-file.ts';

const HEAD = 'import "data:text/javascript;base64,';

/** The bundle with the part in front, on its first line: lines keep their numbers. */
export async function withDrawing(bundle: Uint8Array): Promise<Uint8Array> {
  if (Buffer.from(bundle.subarray(0, HEAD.length)).toString('latin1') === HEAD) return bundle;
  const part = Buffer.from(await drawingPart()).toString('base64');
  return new Uint8Array(Buffer.concat([Buffer.from(`${HEAD}${part}";`), bundle]));
}

async function drawingPart(): Promise<string> {
  const { rolldown } = await import('rolldown');
  // the command is packed into files of its own, beside the SDK's folder
  const places = ['agent-drawing.js', 'sdk/agent-drawing.js', 'agent-drawing.ts'].map((file) => join(SDK_FOLDER, file));
  const input = places.find((place) => existsSync(place));
  if (input === undefined)
    throw new PolaronError('BUNDLE_FAILED', `the part that draws is not at ${places.join(', ')}`);
  const bundler = await rolldown({ input, platform: 'node', logLevel: 'silent' });
  try {
    const { output } = await bundler.generate({ format: 'esm', codeSplitting: false, minify: true, comments: false });
    return output[0].code;
  } finally {
    await bundler.close();
  }
}
