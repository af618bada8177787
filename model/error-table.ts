/**
 * The one table of error codes: what each means, whether trying again may help, and what to do.
 * Not here: the error class (errors.ts). Bundles for agents carry a short form of this file (sdk/ship/agent-parts.ts).
 */

import { entry, type ErrorEntry } from './error-entry.ts';
import { agentErrors } from './agent-errors.ts';
import { executorErrors } from './executor-errors.ts';

/** Every code that Polaron raises; docs/errors.md holds the same rows (a test compares them). */
export const errorTable = {
  OUTSIDE_ELECTRON: entry(
    'tracing',
    false,
    '`context()` was called where no electron runs.',
    'Call it inside the function of an electron, while that runs.',
  ),
  OUTSIDE_LATTICE: entry(
    'tracing',
    false,
    'An electron or lattice was called outside a lattice.',
    'Call it inside a lattice, or run it here with `.local(...)`.',
  ),
  REF_AWAITED: entry('tracing', false, 'A Ref was awaited; nothing runs while a lattice is traced.', 'Remove `await`.'),
  REF_USED_AS_VALUE: entry(
    'tracing',
    false,
    'A Ref was used as a number, string or JSON.',
    'Compute with the value inside an electron.',
  ),
  REF_ITERATED: entry(
    'tracing',
    false,
    'A Ref was iterated; its length is not known yet.',
    'Use `.map`, or iterate inside an electron.',
  ),
  REF_SPREAD: entry('tracing', false, 'The keys of a Ref were enumerated.', 'Name the properties that you need.'),
  REF_CALLED: entry('tracing', false, 'A Ref was called.', 'Call methods of a value inside an electron.'),
  REF_MUTATED: entry(
    'tracing',
    false,
    'A property of a Ref was set or deleted.',
    'Return a new value from an electron.',
  ),
  FOREIGN_REF: entry('tracing', false, 'A Ref of another lattice was used.', 'Pass the value as an argument.'),
  ASYNC_LATTICE: entry(
    'tracing',
    false,
    'A lattice function is async or returned a promise.',
    'A lattice is traced synchronously: do async work in electrons, or before dispatch().',
  ),
  NOT_SERIALISABLE: entry(
    'tracing',
    false,
    'An argument holds something that cannot be sent.',
    'Pass plain data, or register a codec for the class.',
  ),
  PROMISE_ARG: entry('tracing', false, 'An argument holds a promise.', 'Await it before dispatch().'),
  NO_NAME: entry('tracing', false, 'An electron or lattice has no name.', "Use a named function or `{ name: '...' }`."),
  MAP_ARG: entry(
    'tracing',
    false,
    '`.map` got something that is neither an electron, a lattice nor a function; or, when it ran, a value that is not an array.',
    'Pass an electron or a callback; let the electron that is named return an array.',
  ),
  AFTER_ARG: entry(
    'tracing',
    false,
    '`after` got something that is not a Ref.',
    'Pass the Ref, or an array of Refs, to wait for.',
  ),
  INPUT_INVALID: entry(
    'tracing',
    false,
    "An argument does not fit the electron's input schema.",
    'Pass what the schema asks for.',
  ),
  NOT_SUPPORTED: entry(
    'tracing',
    false,
    'Two things were asked for that do not go together, or that this store or executor cannot do.',
    'Read which; docs/guides/executors.md says what each executor can.',
  ),
  NO_SOURCE: entry(
    'dispatch',
    false,
    'An electron was defined in something that is not a file.',
    'Define it in a module, or make it self-contained.',
  ),
  BUNDLE_FAILED: entry(
    'dispatch',
    false,
    'The modules that define the electrons could not be packed.',
    'Fix the import or syntax error that is named.',
  ),
  NATIVE_ADDON: entry(
    'dispatch',
    false,
    'User code imports a package with a native part, which cannot be packed.',
    'Install it on the agents with `deps: { npm: { ... } }`.',
  ),
  BUNDLE_TOO_LARGE: entry(
    'dispatch',
    false,
    'The packed code is over the limit.',
    'Import less, or install large packages on the agents with `deps`.',
  ),
  LEPTON_SOURCE: entry(
    'dispatch',
    false,
    "A lepton's Python file, module or function is not there.",
    'Correct `source` or `function`; a path is relative to the module that defines the lepton.',
  ),
  ELECTRON_AMBIGUOUS: entry(
    'dispatch',
    false,
    'Two different electrons have one name.',
    "Give one of them `{ name: '...' }`.",
  ),
  SIGNATURE_MISMATCH: entry(
    'dispatch',
    false,
    'An electron that is to replace another takes more arguments than that one is called with.',
    'Give it default values, or pass the lattice that calls it with more.',
  ),
  ...agentErrors,
  ...executorErrors,
  NO_HUB: entry('hub', true, 'No hub could be reached.', 'Run `polaron start`, or set POLARON_URL.'),
  HUB_BUSY: entry('hub', true, 'The hub takes no more work at the moment.', 'Try again later.'),
  NOT_ALLOWED: entry('hub', false, 'This identity may not do that.', 'Use credentials that may.'),
  NOT_OWNER: entry('hub', false, 'The dispatch belongs to another hub.', 'Ask the hub that the id names.'),
  BAD_REQUEST: entry('hub', false, 'A request could not be understood.', 'Compare it with docs/protocol.md.'),
  UNKNOWN_DISPATCH: entry('hub', false, 'There is no dispatch of this id.', 'See `polaron ls`.'),
  UNKNOWN_ELECTRON: entry('hub', false, 'The dispatch has no electron of this name or id.', 'See `polaron show ID`.'),
  UNKNOWN_AGENT: entry('hub', false, 'The hub has no agent of this name, or several.', 'See `polaron agents`.'),
  AGENT_SILENT: entry(
    'hub',
    true,
    'An agent did not answer when it was told something.',
    'Try again when `polaron agents` shows it live; on its machine SIGTERM does the same.',
  ),
  IDEMPOTENCY_MISMATCH: entry(
    'hub',
    false,
    'The idempotency key was used before with other content.',
    'Use another key for other content.',
  ),
  VALUE_TOO_LARGE: entry(
    'hub',
    false,
    'A value is over the limit.',
    'Split it, pass the path or address of the data, or raise `POLARON_MAX_VALUE_BYTES` (up to 2 GiB).',
  ),
  VALUE_MISSING: entry(
    'hub',
    true,
    'A value that a record names is not in the store.',
    'Run the dispatch again; if it persists, the data folder was damaged.',
  ),
  GRAPH_INVALID: entry(
    'hub',
    false,
    'The transport graph is not well-formed.',
    'Use the SDK to make graphs; see the reason given.',
  ),
  CAPABILITY_INVALID: entry(
    'hub',
    false,
    'What an electron needs, or an agent offers, can not be read.',
    'Write a name (`gpu`), a label (`site=cern`) or an amount: `memory>=32GiB` in `needs`, `memory=64GiB` for an agent.',
  ),
  SUBLATTICE_DEPTH: entry(
    'hub',
    false,
    'Lattices are called inside lattices too deep, e.g. one that calls itself without an end.',
    'Let the recursion end, or write it as a loop inside one lattice.',
  ),
  DISK_FULL: entry(
    'hub',
    true,
    "A disk has no room: the hub's, an agent's, or that of the place where an electron ran.",
    'Free space on the one that is named; committed results stay readable.',
  ),
  AGENT_LOST: entry(
    'hub',
    true,
    'An agent went away with the electron.',
    'Nothing; the electron runs again elsewhere.',
  ),
  AGENT_DRAINED: entry(
    'hub',
    true,
    'An agent that was told to leave gave the electron back.',
    'Nothing; the electron runs again elsewhere, and no retry is charged.',
  ),
  POISON: entry(
    'hub',
    false,
    'The electron was lost with its agent too many times.',
    'Look at the agents that are named; the electron may kill them.',
  ),
  SUPERVISOR_FAILED: entry(
    'hub',
    false,
    "The dispatch's supervisor crashed too often.",
    "Report it with the hub's log; the dispatch was failed to protect the others.",
  ),
  SKIPPED: entry(
    'hub',
    false,
    'The electron was not run because one that it needs did not complete.',
    'See the electron that is named.',
  ),
  WORKFLOW_FAILED: entry('hub', false, 'The dispatch failed.', 'See `result.errors`.'),
  WORKFLOW_CANCELLED: entry('hub', false, 'The dispatch was cancelled.', 'Nothing; somebody asked for it.'),
  WAIT_TIMEOUT: entry('hub', true, 'A wait ended before the dispatch did.', 'Wait longer; the dispatch goes on.'),
  BUS_CLOSED: entry('bus', false, 'The bus connection was closed.', 'Connect again.'),
  BUS_DISCONNECTED: entry('bus', true, 'The bus is not connected at the moment.', 'It dials again by itself.'),
  NO_RESPONDERS: entry('bus', true, 'Nobody listens on the subject.', 'Start the part that should answer.'),
  REQUEST_TIMEOUT: entry('bus', true, 'A request was not answered in time.', 'Try again; what matters is idempotent.'),
  PAYLOAD_TOO_LARGE: entry(
    'bus',
    false,
    'A message is larger than the bus allows.',
    'Pass large data as arguments, not in captured variables, the command line or options.',
  ),
  PERMISSION_DENIED: entry('bus', false, 'The bus refused a subject to this identity.', 'Use credentials that may.'),
  AUTH_FAILED: entry(
    'bus',
    false,
    'The bus refused the credentials.',
    'Check user and password, or the hub file in $POLARON_HOME.',
  ),
  BAD_SUBJECT: entry(
    'bus',
    false,
    'A subject or name is not well-formed.',
    'Use [a-z0-9_-], at most 48 characters a token.',
  ),
  BAD_MESSAGE: entry(
    'bus',
    false,
    'A message could not be decoded or has the wrong shape.',
    'Nothing; it was dropped and counted.',
  ),
  WRONG_VERSION: entry('bus', false, 'A message is of another protocol version.', 'Update the older side.'),
  AGENT_NAME_TAKEN: entry('bus', false, 'Another live agent has this site and name.', 'Choose another --name.'),
  SUPERSEDED: entry('bus', false, 'A newer agent of this name took over.', 'Nothing; this one stops.'),
  MAILBOX_FULL: entry('hub', true, "An actor's mailbox is full.", 'Try again later.'),
  NO_SUCH_ACTOR: entry('hub', false, 'No actor has this address.', 'Nothing; the message became a dead letter.'),
  STORE_FAILED: entry(
    'store',
    true,
    'A write or flush of the store failed or hung.',
    'The hub recovers from disk; check the disk.',
  ),
  DATA_IN_USE: entry(
    'store',
    false,
    'The data folder is in use by another hub.',
    'Stop that one, or choose another --data.',
  ),
  DATA_NEWER: entry(
    'store',
    false,
    'The data folder was written by a newer version.',
    'Update polaron, or choose another --data.',
  ),
  DATA_NOT_WRITABLE: entry(
    'store',
    false,
    'The data folder cannot be written.',
    'Mend its permissions, or choose another --data.',
  ),
  DATA_DAMAGED: entry('store', false, 'A record in the data folder cannot be read.', 'Restore a backup.'),
  USAGE: entry('host', false, 'Wrong usage of a command or option.', 'See `polaron help`.'),
  INSECURE_LISTEN: entry(
    'host',
    false,
    'The bus would listen off loopback without TLS.',
    'Give --tls-cert and --tls-key, or --insecure if you must.',
  ),
  NODE_TOO_OLD: entry('host', false, 'Node.js is older than Polaron supports.', 'Install Node 20.19 or newer.'),
  ALREADY_RUNNING: entry('host', false, 'A hub with other options is running.', 'Stop it first with `polaron stop`.'),
  START_FAILED: entry('host', false, 'The hub or an agent did not become ready.', 'Read the log file that is named.'),
  STUCK: entry(
    'host',
    false,
    "A dispatch of a test hub has not ended, and no timer is left on the test's clock that could end it.",
    'Read what waits for what in the message.',
  ),
} as const satisfies Record<string, ErrorEntry>;

/** A word of the table. */
export type ErrorCode = keyof typeof errorTable;

/** Is `code` one of ours? Used where codes come from the wire. */
export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(errorTable, code);

/** May the same thing succeed when tried again, with nothing changed? */
export const isRetryable = (code: ErrorCode): boolean => errorTable[code].retryable;

/** What the reader of such an error should do. */
export const remedyOf = (code: ErrorCode): string => errorTable[code].remedy;
