/** The result manager as the micro service `polaron-results`: its queries, and the values that go in and out, counted. Not here: their answers. */
import type { Bus } from '../../bus/bus.ts';
import { MicroService, type CountRequest } from '../../bus/micro-service.ts';
import { resultsRequestTypes, type ResultsRequestType } from '../../bus/protocol/results.ts';
import type { BlobKind, Subjects } from '../../bus/subjects.ts';
import type { Clock } from '../../model/clock.ts';

export interface ResultsServiceOptions {
  readonly bus: Bus;
  readonly subjects: Subjects;
  /** Of the actor system that the manager is on. */
  readonly node: string;
  /** In a process of its own. */
  readonly alone: boolean;
  readonly version: string;
  readonly clock: Clock;
}

export interface ResultsService {
  readonly service: MicroService<string>;
  readonly countQuery: CountRequest<ResultsRequestType>;
  readonly countBlob: CountRequest<BlobKind>;
}

const blobKinds: readonly BlobKind[] = ['get', 'has', 'put'];
/** An endpoint's name has no dots: `results.list` is `list`. */
const queryName = (type: ResultsRequestType): string => type.slice('results.'.length);
const blobName = (kind: BlobKind): string => `blob-${kind}`;

/** What the manager and the blob service count, and `nats micro` shows. */
export function resultsService({ bus, subjects, node, alone, version, clock }: ResultsServiceOptions): ResultsService {
  const mailbox = subjects.actor(node, 'results', 'main');
  const names = new Map(resultsRequestTypes.map((type) => [type, queryName(type)]));
  const service = new MicroService<string>({
    bus,
    prefix: subjects.prefix,
    name: `${subjects.prefix}-results`,
    id: node,
    version,
    description: 'Keeps dispatches, values and logs',
    startedAt: clock.now(),
    metadata: () => ({ node, version, process: alone ? 'own' : 'hub' }),
    endpoints: [
      ...[...names.values()].map((name) => ({ name, subject: mailbox })),
      ...blobKinds.map((kind) => ({ name: blobName(kind), subject: subjects.blobOfAll(kind) })),
    ],
  });
  return {
    service,
    countQuery: (type, tookMs, error) => service.count(names.get(type) ?? type, tookMs, error),
    countBlob: (kind, tookMs, error) => service.count(blobName(kind), tookMs, error),
  };
}
