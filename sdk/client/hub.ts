/** What the SDK's functions need of a hub: its verbs and its values, over one connection. */
import { ApiClient } from './api.ts';
import { Blobs } from './blobs.ts';
import type { Connection } from './connection.ts';
import { Turnstile } from '../../model/turnstile.ts';

/** Dispatches that are being handed to the hub at once; it refuses more than 1,024 from all clients together. */
const STARTS_AT_ONCE = 256;

export interface Hub {
  readonly connection: Connection;
  readonly api: ApiClient;
  readonly blobs: Blobs;
  readonly starts: Turnstile;
}

export function hubOn(connection: Connection): Hub {
  const api = new ApiClient(connection);
  return { connection, api, blobs: new Blobs(api), starts: new Turnstile(STARTS_AT_ONCE) };
}
