/**
 * Python leptons: a call to a warm interpreter, arguments and result in Polaron's value format. What Python raises becomes an error of the user's code with
 * Python's class, text and traceback. Not here: the process and its pipe (python-process.ts), which interpreter is warm (python-pool.ts).
 */
import { decodeValue, encodeValue } from '../bus/value/value.ts';
import { PolaronError } from '../model/errors.ts';
import { shownLepton, type PythonSpec } from '../model/lepton.ts';
import type { LeptonHost } from './host.ts';
import { interpreters } from './python-pool.ts';
import type { Answer, Failure, Raised } from './python-report.ts';

/** Raises LEPTON_MISSING, LEPTON_SOURCE, LEPTON_ARGUMENT, NOT_SERIALISABLE, RESULT_NOT_SERIALISABLE, EXITED, CRASHED, and PythonError as an error of the user's code. */
export async function runPython(spec: PythonSpec, args: readonly unknown[], host: LeptonHost): Promise<unknown> {
  const where = shownLepton(spec);
  const { signal, dispatchId, nodeId, attempt } = host.context;
  const data = encodeValue(args, `arguments of ${where}`);
  const python = interpreters.take(spec);
  const interrupt = (): void => python.interrupt();
  signal.addEventListener('abort', interrupt);
  let answer: Answer;
  try {
    const task = { dispatch_id: dispatchId, node_id: nodeId, attempt };
    answer = await python.call(JSON.stringify({ function: spec.function, task }), data, host);
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
  if (signal.aborted) {
    python.end();
    throw signal.reason;
  }
  if (answer.kind === 'result') {
    interpreters.giveBack(python);
    return decodeValue(answer.bytes);
  }
  // a module that couldn't be imported is half there; what else happened leaves the interpreter as warm as it was
  if (answer.kind === 'raised' || answer.kind === 'argument' || answer.kind === 'result-lost')
    interpreters.giveBack(python);
  else python.end();
  throw errorOf(answer, where, python.program);
}

/** What Python raised. `name` is its class there, so that `retryOn` knows it. */
class PythonError extends Error {
  override readonly name: string;

  constructor({ name, message, stack, cause }: Raised) {
    super(message, cause === undefined ? undefined : { cause: new PythonError(cause) });
    this.name = name;
    this.stack = stack;
  }
}

function errorOf(failure: Failure, where: string, program: string): Error {
  switch (failure.kind) {
    case 'raised':
      return new PythonError(failure);
    case 'source':
      return new PolaronError('LEPTON_SOURCE', `${where}: ${failure.message} (${program})`);
    case 'argument':
      return new PolaronError(
        'LEPTON_ARGUMENT',
        `${where}: its arguments can't be Python's at ${failure.path} (${failure.message}); ${failure.advice}`,
        { details: { path: failure.path } },
      );
    case 'result-lost':
      return new PolaronError(
        'RESULT_NOT_SERIALISABLE',
        `${where}: result is not serialisable at ${failure.path} (${failure.message}); ${failure.advice}`,
        { details: { path: failure.path } },
      );
    case 'exit':
      return new PolaronError(
        'EXITED',
        `${where}: Python ended with exit code ${failure.code}${failure.message === '' ? '' : `: ${failure.message}`}; return or raise instead of sys.exit()`,
      );
    case 'signal':
      return new PolaronError('CRASHED', `${where}: Python died by ${failure.signal}${failure.message}`);
    case 'absent':
      return new PolaronError('LEPTON_MISSING', `${where}: no Python here: ${failure.message}`, {
        details: { program },
        help: 'Install Python 3, or set POLARON_PYTHON to an interpreter.',
      });
  }
}
