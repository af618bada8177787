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
  SSH_HOST_KEY: entry(
    'task',
    false,
    'The key of an SSH host is not the known one, or none is known.',
    "Compare its fingerprint with the host's owner, then put it into the known_hosts file.",
  ),
  SSH_AUTH: entry(
    'task',
    false,
    'An SSH host did not let the agent in.',
    'Check user and key: `ssh -o BatchMode=yes HOST true` on the agent, as its user.',
  ),
  SSH_UNREACHABLE: entry(
    'task',
    true,
    'An SSH host could not be reached, or not for longer than what ran there is kept.',
    'Check name, port and network; the message has the words of ssh.',
  ),
  SSH_NO_NODE: entry(
    'task',
    false,
    'An SSH host has no Node.js that Polaron can use.',
    'Install Node.js 20.19 or newer there, or name it by the option `node`.',
  ),
  SSH_LOST: entry(
    'task',
    true,
    'What ran on an SSH host was lost: its daemon has ended, as by a restart of the host.',
    'Nothing: it is run again if its electron has retries.',
  ),
  SLURM_REFUSED: entry(
    'task',
    false,
    "Slurm does not take the electron's job.",
    'Read its own words in the message; correct the options of the electron.',
  ),
  SLURM_UNREACHABLE: entry(
    'task',
    true,
    "Slurm's controller could not be reached, and the job was not submitted.",
    'See `scontrol ping` on the machine of the agent.',
  ),
  SLURM_LIMIT: entry(
    'task',
    false,
    'Slurm ended the job at a limit: its time or its memory.',
    'Ask for more with `time` or `mem`, or split the work.',
  ),
  SLURM_NODE_FAIL: entry('task', true, 'The node of the job failed.', 'Give the electron `retries`.'),
  SLURM_PREEMPTED: entry(
    'task',
    true,
    'Slurm gave the place of the job to another.',
    'Give the electron `retries`, or ask for another `qos` or `partition`.',
  ),
  SLURM_CANCELLED: entry(
    'task',
    false,
    'Somebody cancelled the job in Slurm.',
    'Ask who has; `retryOn` repeats it all the same.',
  ),
  SLURM_FOLDER: entry(
    'task',
    false,
    'The node could not write to the folder of the job.',
    'Start the agent with its POLARON_HOME on a disk that the nodes share.',
  ),
  SLURM_PRE_RUN: entry(
    'task',
    true,
    "A command of the electron's `preRun` failed.",
    'Read its output; it runs on the node, in bash.',
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
