/** The errors that executors raise: ways to run an electron other than a process of the agent's machine. Part of error-table.ts. */
import { entry } from './error-entry.ts';

export const executorErrors = {
  EXECUTOR_INVALID: entry(
    'host',
    false,
    'An executor that an agent was started with can not be used.',
    'Export what `defineExecutor` gives as default; the message says what is wrong.',
  ),
  EXECUTOR_SETUP: entry(
    'host',
    true,
    'An executor could not get ready on its agent, which does not offer it.',
    "Read the reason in the agent's log; `polaron doctor` says what this machine lacks.",
  ),
  EXECUTOR_OPTION: entry(
    'task',
    false,
    "An option of the electron's executor is wrong.",
    "Compare with the executor's page in docs/guides/executors.md.",
  ),
  EXECUTOR_FAILED: entry(
    'task',
    true,
    'The executor could not run the electron.',
    "Read the executor's own words in the message.",
  ),
  JOB_FAILED: entry(
    'task',
    true,
    'A job ended without an outcome of its electron.',
    'Read what the job system says in the message, and the output.',
  ),
  CONTAINER_IMAGE: entry(
    'task',
    true,
    'The image of an electron is not there, and can not be pulled.',
    'Check its name, and that the agent may have it from its registry; the message has the words of the engine.',
  ),
  CONTAINER_NO_NODE: entry(
    'task',
    false,
    'Node.js can not run in the image of an electron.',
    "Take an image with glibc, or one that has Node.js 20.19 or newer with the option `node: 'image'`.",
  ),
} as const;
