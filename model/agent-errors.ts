/** The errors that agents raise: before an electron runs, and while it runs. Part of error-table.ts. */
import { entry } from './error-entry.ts';

export const agentErrors = {
  DEPS_INSTALL_FAILED: entry(
    'index',
    true,
    'Dependencies of an electron could not be installed on the agent.',
    "Read the installer's last lines in the message.",
  ),
  DEPS_REFUSED: entry(
    'index',
    true,
    'The agent was told to install nothing.',
    'Have the electron run where it is allowed: `needs` names a capability of such agents.',
  ),
  BUNDLE_LOAD: entry(
    'index',
    false,
    'The module of an electron failed to load on the agent.',
    'Top-level code runs again on agents: import files, or read them before dispatch() and pass them.',
  ),
  ELECTRON_NOT_FOUND: entry(
    'index',
    false,
    'An electron was not defined when its module was loaded on the agent.',
    'Create it at the top level of a module.',
  ),
  DEFINED_AFTER_DISPATCH: entry(
    'index',
    false,
    'An electron uses something that its module defines only after dispatch().',
    'Move the definition above the call.',
  ),
  CAPTURE_MISMATCH: entry(
    'index',
    false,
    'A captured variable has another value on the agent.',
    'Pass it as an argument.',
  ),
  LEPTON_MISSING: entry(
    'task',
    false,
    "A lepton's interpreter, program or library is not on the agent.",
    'Install it there, set `POLARON_PYTHON`, or ask for agents that have it by `needs`.',
  ),
  LEPTON_ARGUMENT: entry(
    'task',
    false,
    "An argument is none that the lepton's language can take.",
    'Pass what docs/guides/leptons.md lists for the language.',
  ),
  LEPTON_OUTPUT: entry(
    'task',
    false,
    'What a shell lepton wrote to its standard output is no result.',
    "Print UTF-8 text, or valid JSON for `output: 'json'`, of at most 64 MiB.",
  ),
  TASK_THREW: entry('task', true, "The electron's function threw.", 'Read the error and its stack.'),
  HOOK_FAILED: entry(
    'task',
    true,
    'A `before` or `after` hook of the electron threw.',
    'Read which hook, its error and its stack.',
  ),
  UNCAUGHT: entry(
    'task',
    true,
    'An exception escaped from a callback of the electron.',
    'Catch it, or await what throws it.',
  ),
  UNHANDLED_REJECTION: entry(
    'task',
    true,
    'A promise made by the electron was rejected and nobody handled it.',
    'Await the promise or handle its rejection.',
  ),
  RESULT_NOT_SERIALISABLE: entry(
    'task',
    false,
    "The electron's result holds something that cannot be sent.",
    'Return plain data, typed arrays, Map, Set or Date.',
  ),
  CODEC_MISSING: entry(
    'task',
    false,
    'A value holds an instance of a class whose codec is not registered where it is read.',
    'Import the module that registers the codec: on agents, from the module of the electron.',
  ),
  CODEC_FAILED: entry(
    'task',
    false,
    'A codec could not bring an instance back.',
    "Mend the codec's `decode`; it gets what its `encode` made.",
  ),
  TIMEOUT: entry(
    'task',
    true,
    'The electron, or the dispatch, did not end in its time.',
    'Raise the `timeout` that is named, or make it quicker.',
  ),
  CANCELLED: entry('task', false, 'The electron was cancelled.', 'Nothing; somebody asked for it.'),
  OUT_OF_MEMORY: entry(
    'task',
    true,
    "The electron's process ran out of heap.",
    'Raise `memoryMb`, or use less memory.',
  ),
  MEMORY_LIMIT: entry(
    'task',
    true,
    "The electron's process went over its memory limit and was killed.",
    'Raise `memoryMb`, or use less memory.',
  ),
  CRASHED: entry(
    'task',
    true,
    "The electron's process died by a signal.",
    'Read its stderr; native code may have crashed.',
  ),
  EXITED: entry('task', true, 'The electron ended its process.', 'Return or throw instead of process.exit().'),
  REF_PATH: entry(
    'task',
    false,
    'A path into a value does not exist.',
    'Check the shape of the value that the parent returned.',
  ),
} as const;
