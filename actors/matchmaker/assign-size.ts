/** How many bytes the parts of an assign take in its message: never fewer than they do. Not here: how they are put into messages (assigner.ts). */
import type { AssignedTask, Manifest, TaskInput } from '../../bus/protocol/agent.ts';
import type { Arguments } from '../../bus/protocol/actors.ts';
import { partBytes } from '../../bus/protocol/shared-parts.ts';
import type { ElectronDef } from '../../model/graph.ts';

/** Envelope, fields of the assign itself, and what it says of each list. */
export const ASSIGN_BYTES = 4_096;
/** A task without its name, path, template and inputs. */
const TASK_BYTES = 300;
/** A ValueInfo with its field names. */
const INFO_BYTES = 110;
/** MessagePack's longest header of bytes. */
const HEADER_BYTES = 5;

/** Of what several tasks of one assign share. */
export const sharedBytes = (part: Manifest | ElectronDef): number => partBytes(part).byteLength + HEADER_BYTES;

const inputBytes = (input: TaskInput): number => ('digest' in input ? INFO_BYTES : input.byteLength + HEADER_BYTES);

/** Of the template and the inputs of one task. */
export function argumentBytes({ template, inputs }: Arguments): number {
  let size = inputBytes(template);
  if ('digest' in inputs) size += INFO_BYTES;
  else for (const input of inputs) size += inputBytes(input);
  return size;
}

/** Of one task, without what it shares. */
export const taskBytes = (task: Sized): number =>
  TASK_BYTES + Buffer.byteLength(task.name) + (task.path?.length ?? 0) + holdBytes(task) + argumentBytes(task);

type Sized = Pick<AssignedTask, 'name' | 'template' | 'inputs' | 'holds'> & { readonly path: string | undefined };
const HOLD_BYTES = 40;
const holdBytes = ({ holds = [] }: Sized): number =>
  holds.reduce((sum, { key }) => sum + HOLD_BYTES + Buffer.byteLength(key), 0);
